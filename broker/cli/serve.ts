/** `topictalk serve`: starts the broker, prints its addresses, and stops it on a signal. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Config } from '../../schemas/config.js'
import { topics } from '../../schemas/topics.js'
import { startBroker } from '../broker.js'
import { loadConfig } from '../config/config.js'
import { configWarnings } from '../config/trial.js'
import type { NodeEntry } from '../store/nodes.js'
import { openLog } from '../util/log.js'
import { readVersion } from '../util/version.js'
import { type ConfigFlags, ensureDataDir, readConfig } from './settings.js'
import { StopSignals } from './stop-signals.js'

type RunningBroker = Awaited<ReturnType<typeof startBroker>>

/** Seconds that a stop may take, beside those of `node.drain`: it ends before Kubernetes would kill it, which gives 30 s unless told otherwise. */
const CLOSE_TIMEOUT = 25

export async function serve(flags: ConfigFlags): Promise<void> {
  const config = readConfig(flags)
  // If the reader of our output goes away, the broker stays.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  ensureDataDir(config)
  const signals = new StopSignals(onTerminal())
  const log = openLog(config.log)
  for (const warning of configWarnings(config)) log.warn(warning)
  const broker = await startBroker(config, { log })
  reloadOnHangup(flags, broker, log)
  say(config, banner(config, broker, await nodesOf(broker)))
  const drains = await signals.first()
  say(config, drains ? 'draining: clients are sent away; once more stops at once' : 'stopping: once more ends at once')
  await stop(broker, config, signals, drains)
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

/** Closes the broker, after its clients have left where they are sent away in order. */
async function stop(broker: RunningBroker, { node }: Config, signals: StopSignals, drains: boolean): Promise<void> {
  const { delay, spread } = node.drain
  const seconds = CLOSE_TIMEOUT + (drains ? delay + spread : 0)
  const timeout = setTimeout(() => {
    console.error(`topictalk: not stopped after ${seconds} s; ended at once`)
    process.exit(1)
  }, seconds * 1000)
  if (drains) await broker.drain(signals.hurry)
  signals.closing()
  await broker.close()
  clearTimeout(timeout)
}

/**
 * The start-up message: listeners, data directory, and commands to paste; scripts wait for the first word of its last
 * line.
 */
export function banner(
  config: Config,
  { listeners, dataDir, store, nodes }: RunningBroker,
  all: readonly NodeEntry[],
): string {
  const { wsPath } = config.listen
  const url = (name: string) => listeners.find((listener) => listener.name === name)?.url
  const ws = (base: string | undefined) => base && `${base.replace(/^http/, 'ws')}${wsPath}`
  const page = url('https') ?? url('http')
  const facts = [
    ['In a browser', config.web.enabled ? page : undefined],
    ['MQTT', url('mqtt')],
    ['MQTT over TLS', url('mqtts')],
    ['WebSocket', ws(url('http'))],
    ['WebSocket, TLS', ws(url('https'))],
    ['HTTP', config.web.enabled ? undefined : page],
    ['Data', dataDir],
    ['Store', nodes.shared ? store.about : undefined],
    ['Nodes', nodes.shared ? all.map(({ node, name }) => nodeText(name, node === nodes.self)).join(', ') : undefined],
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

/** None where the store cannot be asked: the log says why. */
function nodesOf({ nodes }: RunningBroker): Promise<readonly NodeEntry[]> {
  return nodes.list().catch(() => [])
}

function nodeText(name: string, isThis: boolean): string {
  return isThis ? `${name} (this)` : name
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
    '  Without a browser, a first user:',
    `    echo alice-pw | npx topictalk user add alice --password-stdin${dataDirFlag(config)}`,
    ...(at === null
      ? []
      : [
          '  Listen in one terminal, say something in another:',
          `    mosquitto_sub${at} ${who} -t ${topic}`,
          `    mosquitto_pub${at} ${who} -q 1 -t ${topic} -m hello`,
        ]),
    '  Or chat in a terminal:',
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
