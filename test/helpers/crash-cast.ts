/** Publishers and subscribers for the crash tests: they reconnect for ever, and record everything. */
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import type { BrokerProcess } from './broker-process.js'
import type { Random } from './random.js'

const RECONNECT_MS = 20
const WINDOW = 8

/** Errors of clients: those that a killed broker explains are counted, all others are kept. */
export class Faults {
  readonly expected = new Map<string, number>()
  readonly unexpected: string[] = []

  watch(client: MqttClient, who: string): void {
    client.on('error', (error: Error & { code?: string | number }) => {
      const code = String(error.code ?? error.message)
      if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE'].includes(code))
        this.expected.set(code, (this.expected.get(code) ?? 0) + 1)
      else this.unexpected.push(`${who}: ${error.message}`)
    })
  }
}

/** A counter that can be waited for. */
export class Progress {
  count = 0
  #waiting: { count: number; resolve: () => void }[] = []

  add(): void {
    this.count++
    if (this.#waiting.length === 0) return
    const due = this.#waiting.filter(({ count }) => count <= this.count)
    this.#waiting = this.#waiting.filter(({ count }) => count > this.count)
    for (const { resolve } of due) resolve()
  }

  reach(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }
}

export interface Stage {
  readonly broker: BrokerProcess
  readonly faults: Faults
  readonly random: Random
  /** Number of acknowledged publishes of all publishers. */
  readonly acks: Progress
}

/** A client that stays connected: MQTT.js reconnects, and resends what was not acknowledged. */
export async function enduringClient(stage: Stage, user: string, options: IClientOptions = {}): Promise<MqttClient> {
  const { broker, faults } = stage
  const password = await broker.token(user)
  const client = mqtt.connect(broker.url, {
    username: user,
    password,
    clientId: user,
    clean: false,
    reconnectPeriod: RECONNECT_MS,
    ...options,
  })
  client.setMaxListeners(0)
  faults.watch(client, options.clientId ?? user)
  return client
}

export interface Sent {
  readonly topic: string
  readonly payload: string
  readonly qos: 1 | 2
}

/** Publishes until it is stopped, a few messages at a time, each until it is acknowledged. */
export abstract class Publisher {
  readonly user: string
  /** By cid, in the order sent. */
  readonly sent = new Map<string, Sent>()
  readonly acked = new Set<string>()
  protected readonly outstanding = new Map<string, Sent>()
  protected readonly stage: Stage
  readonly #compose: (cid: string) => Sent
  #stopping = false
  #drained = (): void => {}

  constructor(stage: Stage, user: string, compose: (cid: string) => Sent) {
    this.stage = stage
    this.user = user
    this.#compose = compose
  }

  abstract start(): Promise<void>
  abstract end(): Promise<void>
  protected abstract transmit(cid: string, sent: Sent): void

  /** Resolves once all publishes are acknowledged. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.outstanding.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
  }

  protected fill(): void {
    while (!this.#stopping && this.outstanding.size < WINDOW) {
      const cid = `${this.user}-${this.sent.size + 1}`
      const sent = this.#compose(cid)
      this.sent.set(cid, sent)
      this.outstanding.set(cid, sent)
      this.transmit(cid, sent)
    }
  }

  protected acknowledged(cid: string): void {
    if (!this.outstanding.delete(cid)) return
    this.acked.add(cid)
    this.stage.acks.add()
    this.fill()
    if (this.#stopping && this.outstanding.size === 0) this.#drained()
  }
}

/** Keeps one session; MQTT.js resends under the same packet id, with DUP. */
export class FaithfulPublisher extends Publisher {
  #client!: MqttClient

  async start(): Promise<void> {
    this.#client = await enduringClient(this.stage, this.user)
    this.fill()
  }

  end(): Promise<void> {
    return this.#client.endAsync(true)
  }

  protected transmit(cid: string, { topic, payload, qos }: Sent): void {
    this.#client.publish(topic, payload, { qos }, (error) => {
      if (!error) this.acknowledged(cid)
      // MQTT.js fails publishes that it had not started when the connection was lost; all others it resends by itself.
      else if (error.message === 'Connection closed') setImmediate(() => this.transmit(cid, { topic, payload, qos }))
      else this.stage.faults.unexpected.push(`${this.user}: ${cid}: ${error.message}`)
    })
  }
}

/** Starts a new session with every connection, as an app that restarts: only the cid identifies a message that is sent again. */
export class ForgetfulPublisher extends Publisher {
  /** The seq that the broker returned for each cid. Later answers must be equal. */
  readonly replied = new Map<string, number>()
  #client!: MqttClient
  #connections = 0
  #ended = false

  async start(): Promise<void> {
    await this.#connect()
    this.fill()
  }

  async end(): Promise<void> {
    this.#ended = true
    await this.#client.endAsync(true)
  }

  protected transmit(cid: string, { topic, payload, qos }: Sent): void {
    const client = this.#client
    if (!client.connected) return
    client.publish(topic, payload, { qos }, (error) => {
      // A message cut off by the crash is sent again on the next connection.
      if (!error && client === this.#client) this.acknowledged(cid)
    })
  }

  async #connect(): Promise<void> {
    const clientId = `${this.user}-${++this.#connections}`
    const client = await enduringClient(this.stage, this.user, { clientId, clean: true, reconnectPeriod: 0 })
    this.#client = client
    client.on('connect', () => {
      client.subscribe(`users/${this.user}/replies`, { qos: 1 })
      for (const [cid, sent] of this.outstanding) this.transmit(cid, sent)
    })
    client.on('message', (_topic, payload) => this.#reply(JSON.parse(payload.toString())))
    client.once('close', () => {
      client.end(true)
      if (!this.#ended) setTimeout(() => void this.#connect(), RECONNECT_MS)
    })
  }

  #reply({ re, ok, result }: { re: string; ok: boolean; result?: { seq: number } }): void {
    const { unexpected } = this.stage.faults
    if (!ok) unexpected.push(`${this.user}: ${re} was refused`)
    else if ((this.replied.get(re) ?? result!.seq) !== result!.seq) unexpected.push(`${re} got two numbers`)
    else this.replied.set(re, result!.seq)
  }
}

export interface Received {
  readonly topic: string
  readonly payload: string
  readonly qos: number
}

/** A persistent session, which may be disconnected for a while. Records all messages in order. */
export class Subscriber {
  readonly user: string
  readonly received: Received[] = []
  readonly #stage: Stage
  readonly #filters: Record<string, { qos: 0 | 1 | 2 }>
  readonly #options: IClientOptions
  #client: MqttClient | null = null
  #changed = (): void => {}

  constructor(stage: Stage, user: string, filters: Record<string, 0 | 1 | 2>, options: IClientOptions = {}) {
    this.user = user
    this.#stage = stage
    this.#filters = Object.fromEntries(Object.entries(filters).map(([filter, qos]) => [filter, { qos }]))
    this.#options = { resubscribe: false, ...options }
  }

  /** Resolves when all subscriptions are granted. */
  async begin(): Promise<void> {
    await this.comeOnline()
    const granted = await this.#client!.subscribeAsync(this.#filters)
    for (const { topic, qos } of granted)
      if (qos > 2) this.#stage.faults.unexpected.push(`${this.user} may not subscribe to ${topic}`)
  }

  async comeOnline(): Promise<void> {
    if (this.#client) return
    const client = await enduringClient(this.#stage, this.user, this.#options)
    this.#client = client
    client.on('message', (topic, payload, { qos }: IPublishPacket) => {
      this.received.push({ topic, payload: payload.toString(), qos })
      this.#changed()
    })
  }

  async goOffline(): Promise<void> {
    const client = this.#client
    this.#client = null
    await client?.endAsync(true)
  }

  get online(): boolean {
    return this.#client !== null
  }

  /** Resolves when `complete` holds. */
  async until(complete: () => boolean): Promise<void> {
    while (!complete()) await new Promise<void>((resolve) => (this.#changed = resolve))
  }
}

/** Rejects if `work` takes longer than `seconds`, with the text of `describe`. */
export async function within<T>(seconds: number, work: Promise<T>, describe: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${seconds} s: ${describe()}`)), seconds * 1000)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
