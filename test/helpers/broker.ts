/** A real broker for a test: port 0, a directory of its own, a silent log; stopped with the test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import pino from 'pino'
import type { Test } from 'tap'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import { type BrokerOptions, type RunningBroker, startBroker } from '../../broker/broker.js'
import { completeConfig } from '../../broker/config/config.js'
import type { Store } from '../../broker/store/store.js'
import { openStore } from '../../broker/wiring/storage.js'
import type { Config } from '../../schemas/config.js'
import { Random } from './random.js'
import { checkResult } from './results.js'
import { testStore } from './test-store.js'
import { UnorderedStore } from './unordered-store.js'

/** Parts of a configuration, nested as in config.yaml. */
export type Overrides = { [K in keyof Config]?: Partial<Config[K]> | Record<string, unknown> }

export interface TestBroker {
  readonly running: RunningBroker
  readonly config: Config
  readonly dataDir: string
  readonly mqttUrl: string
  readonly wsUrl: string
  readonly port: number
  /** A token with which `user` can log in (as the password); unknown users are created by it. */
  token(user: string, roles?: string[]): Promise<string>
  /** Connects MQTT.js (3.1.1) as `user`, by token. Ended with the test. */
  connect(user: string, options?: IClientOptions & { roles?: string[]; ws?: boolean }): Promise<MqttClient>
  /** Stops and starts again on the same data. `offline` changes what is stored between the two. */
  restart(overrides?: Overrides, offline?: (store: Store) => Promise<unknown>): Promise<void>
  /** What the files of the store hold. */
  stored(): Promise<string[]>
}

let http: number | null = null

/**
 * From now on the brokers of this process serve HTTP and WebSocket, unless a test says otherwise. It is not the rule, as their routes take ten
 * times as long to make as all the rest of a broker. Whoever imports helpers/http.ts need not call it.
 */
export function serveHttp(): void {
  http = 0
}

export async function startTestBroker(
  t: Test,
  overrides: Overrides = {},
  options: Omit<BrokerOptions, 'server'> = {},
): Promise<TestBroker> {
  const dataDir = await mkdtemp(join(tmpdir(), 'topictalk-'))
  const clients: MqttClient[] = []
  const store = await testStore(t, dataDir, options.opened !== undefined || 'driver' in (overrides.store ?? {}))
  let config = testConfig(dataDir, store.configure(overrides))
  const log = pino({ level: 'silent' })
  let running = await start(config, { log, ...options })
  t.teardown(async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)))
    await running.close()
    await rm(dataDir, { recursive: true, force: true })
  })
  const url = (name: string) => {
    const found = running.listeners.find((listener) => listener.name === name)
    if (!found) throw new Error(`this broker has no ${name}; see serveHttp()`)
    return found
  }
  const broker: TestBroker = {
    get running() {
      return running
    },
    get config() {
      return config
    },
    dataDir,
    get mqttUrl() {
      return `mqtt://127.0.0.1:${url('mqtt').port}`
    },
    get wsUrl() {
      return `ws://127.0.0.1:${url('http').port}${config.listen.wsPath}`
    },
    get port() {
      return url('mqtt').port
    },
    token: async (user, roles) =>
      mintToken(await loadTokenSecret(config.auth.jwt, config.node.dataDir), user, roles ? { roles } : {}),
    connect: async (user, { roles, ws, ...options } = {}) => {
      const password = await broker.token(user, roles)
      const settings = {
        username: user,
        password,
        reconnectPeriod: 0,
        clientId: `${user}-${clients.length}`,
        ...options,
      }
      const client = mqtt.connect(ws ? broker.wsUrl : broker.mqttUrl, settings)
      client.on('error', () => {})
      clients.push(client)
      await connected(client)
      return client
    },
    restart: async (more = {}, offline) => {
      await running.close()
      if (offline) await withStore(config, offline)
      if (more.auth?.jwt) await store.forgetSecret()
      config = testConfig(dataDir, store.configure({ ...overrides, ...more }))
      running = await start(config, { log, ...options })
    },
    stored: () => store.files(),
  }
  return broker
}

async function withStore(config: Config, work: (store: Store) => Promise<unknown>): Promise<void> {
  const { store } = await openStore(config)
  try {
    await work(store)
  } finally {
    await store.close()
  }
}

/** With `UNORDERED_STORE` set to a seed, the store keeps no more order than its port promises. */
async function start(config: Config, options: BrokerOptions): Promise<RunningBroker> {
  const running = await startBroker(config, options)
  if (process.env['UNORDERED_STORE']) new UnorderedStore(running.store, Random.from('UNORDERED_STORE'))
  return running
}

function testConfig(dataDir: string, overrides: Overrides): Config {
  const { node, listen, log, search, ...rest } = overrides
  return completeConfig({
    ...rest,
    node: { dataDir, ...node },
    listen: { mqtt: 0, http, ...listen },
    // Indexing gets the whole time, so that it is not behind what a test looks at.
    search: { share: 1, ...search },
    log: { level: 'silent', ...log },
  })
}

function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('the connection closed before CONNACK')))
  })
}

/** Collects what a client receives, so that tests wait for messages instead of time. */
export class Inbox {
  readonly messages: { topic: string; payload: Buffer; qos: number; retain: boolean; dup: boolean }[] = []
  #waiting: (() => void)[] = []

  constructor(client: MqttClient) {
    client.on('message', (topic, payload, { qos, retain, dup }) => {
      this.messages.push({ topic, payload, qos, retain, dup })
      for (const check of this.#waiting) check()
    })
  }

  /** Resolves with all messages once `count` of them match. */
  async wait(
    count: number,
    pass: (message: Inbox['messages'][number]) => boolean = () => true,
  ): Promise<Inbox['messages']> {
    const found = (): Inbox['messages'] => this.messages.filter(pass)
    while (found().length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return found()
  }

  /** The JSON of every message on `topic`. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
  json(topic?: string): any[] {
    return this.messages
      .filter((message) => topic === undefined || message.topic === topic)
      .map(({ payload }) => JSON.parse(payload.toString()))
  }
}

/** Sends a request and resolves with its reply (the client subscribes to its replies the first time). */
// biome-ignore lint/suspicious/noExplicitAny: a reply is any JSON
export async function request(client: MqttClient, user: string, method: string, params: object = {}): Promise<any> {
  const topic = `users/${user}/replies`
  await client.subscribeAsync(topic, { qos: 1 })
  const id = `r${++requests}`
  const reply = new Promise<unknown>((resolve) => {
    const onMessage = (received: string, payload: Buffer): void => {
      if (received !== topic) return
      const body = JSON.parse(payload.toString())
      if (body.re !== id) return
      client.off('message', onMessage)
      if (body.ok) checkResult(method, body.result)
      resolve(body)
    }
    client.on('message', onMessage)
  })
  await client.publishAsync(`users/${user}/requests/${method}`, JSON.stringify({ id, ...params }), { qos: 1 })
  return reply
}
let requests = 0
