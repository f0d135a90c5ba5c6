/** `topictalk serve`: start, say where, and on Ctrl-C drain and go. */
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

/** A drain that takes longer is given up, in ms. */
const DRAIN_TIMEOUT = 30_000
/** Under npm one Ctrl-C arrives twice, from the terminal and passed on by npm: within this time, in ms, both are one. */
const SAME_SIGNAL = 500

export async function serve(flags: ConfigFlags): Promise<void> {
  const config = readConfig(flags)
  // Whoever reads our output may go away; the broker stays.
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

/** To who started it, apart from the log. */
function say({ log }: Config, text: string): void {
  const stream = log.output === 'stdout' ? process.stderr : process.stdout
  stream.write(`${text}\n`)
}

/** SIGHUP reads the configuration and certificates anew; on a terminal it says that the terminal is gone, and stops. */
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

/** Of a signal that reaches npm alone, only the shell between it and us hears, and ends without telling us. */
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

/** Where it listens, where the data is, and what to paste; its last line begins with the word scripts wait for. */
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

/** The file by which a client knows the broker's certificate: itself, where nobody else signed it. */
function authorityOf({ listen: { tls } }: Config): string {
  const { issuer, subject } = new X509Certificate(readFileSync(tls.cert!))
  return issuer === subject ? tls.cert! : 'CA.pem'
}

/** Empty where a plain command finds the same data directory. */
function dataDirFlag(config: Config): string {
  return findsDataDir(config.node.dataDir) ? '' : ` --set ${shellQuoted(`node.dataDir=${config.node.dataDir}`)}`
}

function findsDataDir(dataDir: string): boolean {
  try {
    // Another terminal has not our settings in its environment.
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('TOPICTALK_'))
    return loadConfig({ env: Object.fromEntries(others), set: [] }).node.dataDir === dataDir
  } catch {
    return false
  }
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`
}
