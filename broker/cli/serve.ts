/** `topictalk serve`: starts the broker, prints its addresses, and drains and stops on Ctrl-C. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Config } from '../../schemas/config.js'
import { topics } from '../../schemas/topics.js'
import { startBroker } from '../broker.js'
import { loadConfig } from '../config/config.js'
import { configWarnings } from '../config/trial.js'
import { openLog } from '../util/log.js'
import { readVersion } from '../util/version.js'
import { type ConfigFlags, ensureDataDir, readConfig } from './settings.js'

type RunningBroker = Awaited<ReturnType<typeof startBroker>>

/** Timeout of a drain in ms. */
const DRAIN_TIMEOUT = 30_000
/** Under npm one Ctrl-C arrives twice, from the terminal and from npm: signals within this many ms count as one. */
const SAME_SIGNAL = 500

export async function serve(flags: ConfigFlags): Promise<void> {
  const config = readConfig(flags)
  // If the reader of our output goes away, the broker stays.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  ensureDataDir(config)
  const stop = stopSignal()
  const log = openLog(config.log)
  for (const warning of configWarnings(config)) log.warn(warning)
  const broker = await startBroker(config, { log })
  reloadOnHangup(flags, broker, log)
  say(config, banner(config, broker))
  await stop
  say(config, 'stopping: connections are drained; once more stops at once')
  await drain(broker)
  say(config, 'stopped')
  process.exit(0)
}

/** Prints to the other stream than the log. */
function say({ log }: Config, text: string): void {
  const stream = log.output === 'stdout' ? process.stderr : process.stdout
  stream.write(`${text}\n`)
}

/**
 * SIGHUP reloads the configuration and certificates; on a terminal it means that the terminal was closed, and stops the
 * broker.
 */
function reloadOnHangup(flags: ConfigFlags, broker: RunningBroker, log: Logger): void {
  if (process.platform === 'win32' || onTerminal()) return
  let reloading: Promise<void> = Promise.resolve()
  const reload = async (): Promise<void> => {
    try {
      const { applied, restart } = await broker.reload(readConfig(flags))
      log.info({ applied }, 'configuration and certificates were read anew')
      if (restart.length > 0) log.warn({ keys: restart }, 'changed, but counts only after a restart')
    } catch (error) {
      log.error({ why: (error as Error).message }, 'the configuration cannot be used; all stays as it was')
    }
  }
  process.on('SIGHUP', () => {
    reloading = reloading.then(reload)
  })
}

function onTerminal(): boolean {
  return process.stdin.isTTY === true || process.stdout.isTTY === true
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process. */
function stopSignal(): Promise<void> {
  let first: number | null = null
  return new Promise((resolve) => {
    const signalled = () => {
      if (first !== null && performance.now() - first > SAME_SIGNAL) process.exit(1)
      first ??= performance.now()
      resolve()
    }
    process.on('SIGINT', signalled).on('SIGTERM', signalled)
    if (onTerminal()) process.on('SIGHUP', signalled)
    whenOrphaned(resolve)
  })
}

/** If only npm gets a signal, the shell between npm and this process ends without passing it on. */
function whenOrphaned(callback: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    callback()
  }, 200)
  watch.unref()
}

async function drain(broker: RunningBroker): Promise<void> {
  const timeout = setTimeout(() => {
    console.error(`topictalk: not drained after ${DRAIN_TIMEOUT / 1000} s; stopped at once`)
    process.exit(1)
  }, DRAIN_TIMEOUT)
  await broker.close()
  clearTimeout(timeout)
}

/**
 * The start-up message: listeners, data directory, and commands to paste; scripts wait for the first word of its last
 * line.
 */
export function banner(config: Config, { listeners, dataDir }: RunningBroker): string {
  const { wsPath } = config.listen
  const url = (name: string) => listeners.find((listener) => listener.name === name)?.url
  const ws = (base: string | undefined) => base && `${base.replace(/^http/, 'ws')}${wsPath}`
  const facts = [
    ['MQTT', url('mqtt')],
    ['MQTT over TLS', url('mqtts')],
    ['WebSocket', ws(url('http'))],
    ['WebSocket, TLS', ws(url('https'))],
    ['Web page', url('https') ?? url('http')],
    ['Data', dataDir],
  ] as const
  const shown = facts.filter(([, value]) => value !== undefined)
  return [
    `TopicTalk ${readVersion()}`,
    '',
    ...shown.map(([what, value]) => `  ${what.padEnd(14)}  ${value}`),
    '',
    ...firstSteps(config, url('mqtt') ?? url('mqtts'), ws(url('http')) ?? ws(url('https'))),
    '',
    'ready: Ctrl-C stops',
  ].join('\n')
}

function firstSteps(config: Config, mqtt: string | undefined, ws: string | undefined): string[] {
  const room = config.rooms.list[0]?.id ?? 'lobby'
  const topic = topics.room(room, 'messages')
  const who = '-u alice -P alice-pw'
  const at = mqtt === undefined ? null : mosquittoAddress(config, new URL(mqtt))
  const chatUrl = mqtt ?? ws
  const url = chatUrl === 'mqtt://127.0.0.1:1883' ? '' : ` --url ${chatUrl}`
  const secured = /^(mqtts|wss):/.test(chatUrl ?? '')
  return [
    '  A first user:',
    `    echo alice-pw | npx topictalk user add alice --password-stdin${dataDirFlag(config)}`,
    ...(at === null
      ? []
      : [
          '  Listen in one terminal, say something in another:',
          `    mosquitto_sub${at} ${who} -t ${topic}`,
          `    mosquitto_pub${at} ${who} -q 1 -t ${topic} -m hello`,
        ]),
    '  Or chat line by line:',
    `    npx topictalk chat ${room} --user alice${url}${secured ? ` --cafile ${shellQuoted(authorityOf(config))}` : ''}`,
    ...(secured && authorityOf(config) === 'CA.pem'
      ? ['  (CA.pem: the certificate of the authority that signed that of the broker)']
      : []),
  ]
}

function mosquittoAddress(config: Config, { protocol, hostname, port }: URL): string {
  const host = hostname.replace(/[[\]]/g, '')
  const parts = [
    host === '127.0.0.1' || host === 'localhost' ? '' : ` -h ${host}`,
    port === '1883' ? '' : ` -p ${port}`,
  ]
  return parts.join('') + (protocol === 'mqtts:' ? ` --cafile ${shellQuoted(authorityOf(config))}` : '')
}

/** The file by which a client trusts the broker's certificate: the certificate itself if it is self-signed. */
function authorityOf({ listen: { tls } }: Config): string {
  const { issuer, subject } = new X509Certificate(readFileSync(tls.cert!))
  return issuer === subject ? tls.cert! : 'CA.pem'
}

/** Empty if a command without options finds the same data directory. */
function dataDirFlag(config: Config): string {
  return findsDataDir(config.node.dataDir) ? '' : ` --set ${shellQuoted(`node.dataDir=${config.node.dataDir}`)}`
}

function findsDataDir(dataDir: string): boolean {
  try {
    // Another terminal does not have the settings of this process's environment.
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('TOPICTALK_'))
    return loadConfig({ env: Object.fromEntries(others), set: [] }).node.dataDir === dataDir
  } catch {
    return false
  }
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`
}
