#!/usr/bin/env -S node --min-semi-space-size=32 --max-semi-space-size=32
// The flag: what is under way at a time should fit into V8's young generation, or each of its collections copies it once more.
import { Command } from 'commander'
import { hangUpWithTerminal } from './cli/hang-up.js'
import { endWithReader, reportFailure } from './cli/report.js'
import { readVersion } from './util/version.js'

// Files written below the data directory, or into a backup, are for their owner only.
process.umask(0o077)
hangUpWithTerminal()

// Modules are loaded on demand: `chat` starts without loading the broker.
const serving = () => import('./cli/serve.js')
const audits = () => import('./cli/audit.js')
const backups = () => import('./cli/backup.js')
const moves = () => import('./cli/migrate.js')
const statuses = () => import('./cli/status.js')
const users = () => import('./cli/users.js')
const tokens = () => import('./cli/token.js')
const configs = () => import('./cli/config.js')
const chats = () => import('./cli/chat.js')
const health = () => import('./cli/health.js')

const collect = (value: string, values: string[] = []) => [...values, value]

/** Adds the options of commands that read the configuration. */
function configured(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: ./config.yaml if there is one)')
    .option('--set <key=value>', 'override one key; may be repeated', collect)
}

const program = new Command('topictalk')
  .description('A chat and notification broker that speaks plain MQTT.')
  .version(readVersion())

configured(program.command('serve'))
  .description('run the broker')
  .action(async (flags) => (await serving()).serve(flags))

const user = program.command('user').description('manage users; works beside a running broker')
configured(user.command('add <name>'))
  .description('add a user')
  .option('--password-stdin', 'read the password from standard input')
  .option('--role <role>', 'give a role; may be repeated', collect)
  .action(async (name, flags) => (await users()).addUser(name, flags))
configured(user.command('passwd <name>'))
  .description('change a password')
  .option('--password-stdin', 'read the password from standard input')
  .action(async (name, flags) => (await users()).changePassword(name, flags))
configured(user.command('list'))
  .description('list users')
  .option('--json', 'as JSON')
  .action(async (flags) => (await users()).listUsers(flags))
configured(user.command('role <name> [roles...]'))
  .description('give a user these roles in place of those they had; without any, say which they are')
  .option('--none', 'take all roles away')
  .action(async (name, roles, flags) => (await users()).setRoles(name, roles, flags))
configured(user.command('suspend <name>'))
  .description(
    'let nobody log in as a user, nor as their bots and devices, and cut off who is logged in; all data stays',
  )
  .option('--reason <text>', 'why, for the audit log')
  .action(async (name, flags) => (await users()).suspendUser(name, flags))
configured(user.command('resume <name>'))
  .description('let a suspended user log in again')
  .action(async (name, flags) => (await users()).resumeUser(name, flags))
configured(user.command('remove <name>'))
  .description('remove a user')
  .action(async (name, flags) => (await users()).removeUser(name, flags))
configured(user.command('reset <name>'))
  .description('print a token with which a user sets a new password, once, within an hour')
  .action(async (name, flags) => (await users()).resetPassword(name, flags))
configured(user.command('totp-reset <name>'))
  .description('remove the second factor of a user who is locked out')
  .action(async (name, flags) => (await users()).resetSecondFactor(name, flags))

configured(program.command('audit'))
  .description('list administrative acts, the newest last')
  .option('--limit <number>', 'how many', '100')
  .option('--all', 'with what roles in rooms allowed; so do the options below')
  .option('--actor <name>', 'only what this user did')
  .option('--user <name>', 'only what was done to this user')
  .option('--room <room>', 'only what was done in this room')
  .option('--action <name>', 'only acts of this name, such as rooms.ban')
  .option('--json', 'as JSON')
  .action(async (flags) => (await audits()).listAudit(flags))

configured(program.command('health'))
  .description('say whether the broker that runs here can serve; for health checks of containers')
  .action(async (flags) => (await health()).reportHealth(flags))

configured(program.command('backup <directory>'))
  .description('copy all data into an empty directory that a broker can be started on; works beside a running broker')
  .action(async (directory, flags) => (await backups()).backUp(directory, flags))

configured(program.command('migrate'))
  .description('move everything from one store to another one, which must be empty; no broker may run on either')
  .option(
    '--from <store>',
    'a data directory, an address as of store.redis.url, or aedes-redis (default: the configured store)',
  )
  .option('--to <store>', 'likewise (default: the configured store)')
  .option('--from-prefix <prefix>', 'of the keys in Redis that are read (default: store.redis.prefix)')
  .option('--to-prefix <prefix>', 'of the keys in Redis that are written (default: store.redis.prefix)')
  .option('--restart', 'begin anew what was broken off')
  .option('--url <url>', 'with --from aedes-redis: where the Redis of the Aedes is')
  .option(
    '--user-from <rule>',
    'with --from aedes-redis: the users of its clients: anonymous, client-id, or file:PATH (default: anonymous)',
  )
  .addHelpText('after', '\nRun again as before, it goes on where it was broken off.')
  .action(async (flags) => (await moves()).migrate(flags))

configured(program.command('status'))
  .description('list the nodes that share the store, and say how the broker stands that runs here')
  .option('--json', 'as JSON')
  .action(async (flags) => (await statuses()).printStatus(flags))

configured(program.command('token <user>'))
  .description('print a token to log in with, in place of a password')
  .option('--role <role>', 'a role the token carries; may be repeated', collect)
  .option('--ttl <duration>', 'how long it is valid, such as 1h; never: without end (default: 30d)')
  .action(async (name, flags) => (await tokens()).printToken(name, flags))

const config = program.command('config').description('the configuration')
configured(config.command('check'))
  .description('say whether the configuration is valid')
  .action(async (flags) => (await configs()).checkConfig(flags))

program
  .command('chat [room]')
  .description('chat; the room may be @user for a direct conversation')
  .requiredOption('--user <name>', 'who you are')
  .option('--url <url>', 'where the broker is', 'mqtt://127.0.0.1:1883')
  .option('--password-stdin', 'the first line of standard input is the password')
  .option('--token <token>', 'a token in place of a password')
  .option('--cafile <file>', 'over TLS: the authority that signed the certificate of the broker, PEM')
  .option('--http <url>', 'where the broker takes files, if --url is of MQTT, such as http://127.0.0.1:8080')
  .option('--plain', 'lines alone: no colours, nothing is drawn over; for screen readers, also by ACCESSIBLE=1')
  .option('--no-bell', 'mentions do not ring')
  .option('--store <directory>', 'keeps rooms, drafts, and what was not sent yet, for the next time')
  .addHelpText('after', '\nThe password may also be in TOPICTALK_PASSWORD; on a terminal it is asked for.')
  .action(async (room = 'lobby', flags) => (await chats()).chatInTerminal(room, flags))

program.hook('preAction', (_, command) => {
  if (command.name() !== 'serve') endWithReader()
})

program.parseAsync().catch(reportFailure)
