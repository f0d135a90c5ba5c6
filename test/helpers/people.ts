/** Users at a test broker: an MQTT client with its received messages, requests and sends. */
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { Inbox, type TestBroker } from './broker.js'
import { checkResult } from './results.js'

export interface PersonOptions extends IClientOptions {
  roles?: string[]
  ws?: boolean
  /** Replaces the token that is made for the user. */
  password?: string
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

export class Person {
  readonly user: string
  readonly client: MqttClient
  readonly inbox: Inbox
  readonly #broker: TestBroker
  #requests = 0

  private constructor(user: string, client: MqttClient, broker: TestBroker) {
    this.user = user
    this.client = client
    this.inbox = new Inbox(client)
    this.#broker = broker
    client.on('error', () => {})
  }

  /** Connects with MQTT 3.1.1; by default the client id is the user's name and the session is clean. */
  static async connect(t: Test, broker: TestBroker, user: string, options: PersonOptions = {}): Promise<Person> {
    const { roles, ws, password = await broker.token(user, roles), ...rest } = options
    const client = mqtt.connect(ws ? broker.wsUrl : broker.mqttUrl, {
      username: user,
      password,
      clientId: user,
      reconnectPeriod: 0,
      protocolVersion: 4,
      ...rest,
    })
    const person = new Person(user, client, broker)
    t.teardown(() => client.endAsync(true))
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve()).once('error', reject)
      // Without it each request waits 40 ms: MQTT.js leaves Nagle's algorithm on.
      ;(client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true)
      client.once('close', () => reject(new Error(`${user}: closed before CONNACK`)))
    })
    return person
  }

  /** Subscribes at QoS 1 by default; resolves with the return codes of the SUBACK. */
  subscribe(filters: string | string[], qos: 0 | 1 | 2 = 1): Promise<number[]> {
    return new Promise((resolve) => {
      const onPacket = (packet: { cmd: string; granted?: unknown }) => {
        if (packet.cmd !== 'suback') return
        this.client.off('packetreceive', onPacket)
        resolve(packet.granted as number[])
      }
      this.client.on('packetreceive', onPacket)
      this.client.subscribe(filters, { qos }, () => {})
    })
  }

  /** Publishes at QoS 1 by default; resolves when it is acknowledged. Objects are sent as JSON. */
  async publish(topic: string, payload: string | Buffer | object, options: { qos?: 0 | 1 | 2; retain?: boolean } = {}) {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload)
    await this.client.publishAsync(topic, bytes, { qos: 1, ...options })
  }

  say(room: string, payload: string | object): Promise<void> {
    return this.publish(`rooms/${room}/messages`, payload)
  }

  tell(user: string, payload: string | object): Promise<void> {
    return this.publish(`users/${user}/messages`, payload)
  }

  /** Publishes with a `cid` and resolves with the reply, ok or error. */
  async send(topic: string, message: object): Promise<Json> {
    const cid = `cid-${++this.#requests}`
    await this.#listenToReplies()
    await this.publish(topic, { cid, ...message })
    return this.#reply((message as { cid?: string }).cid ?? cid)
  }

  /** Publishes a message that will be refused, and resolves with the next error. */
  async refused(topic: string, payload: string | Buffer | object, options: { qos?: 0 | 1 | 2 } = {}): Promise<Json> {
    await this.#listenToReplies()
    const before = this.replies.length
    await this.publish(topic, payload, options)
    await this.inbox.wait(before + 1, (message) => message.topic === `users/${this.user}/replies`)
    return this.replies[before]
  }

  /** Sends a request and resolves with its reply. */
  async ask(method: string, params: object = {}): Promise<Json> {
    const id = `${this.client.options.clientId}-${++this.#requests}`
    await this.#listenToReplies()
    await this.publish(`users/${this.user}/requests/${method}`, { id, ...params })
    return this.#reply(id)
  }

  /** The result of a request that must succeed. */
  async get(method: string, params: object = {}): Promise<Json> {
    const reply = await this.ask(method, params)
    if (!reply.ok) throw new Error(`${method}: ${reply.error.code}: ${reply.error.message}`)
    checkResult(method, reply.result)
    return reply.result
  }

  /** The code and field of a request that must fail. */
  async fails(method: string, params: object = {}): Promise<string> {
    const reply = await this.ask(method, params)
    if (reply.ok) throw new Error(`${method} ${JSON.stringify(params)} was allowed`)
    const { code, field } = reply.error
    return field === undefined ? code : `${code} ${field}`
  }

  get replies(): Json[] {
    return this.inbox.json(`users/${this.user}/replies`)
  }

  /** All messages received, without replies. */
  get heard(): Inbox['messages'] {
    return this.inbox.messages.filter(({ topic }) => !topic.endsWith('/replies'))
  }

  /** `topic payload` of all messages received, without replies; chat messages by their text or data. */
  get lines(): string[] {
    return this.heard.map(({ topic, payload }) => `${topic} ${textOf(payload)}`)
  }

  /** The JSON of messages on `topic`, once there are `count`. */
  async on(topic: string, count: number): Promise<Json[]> {
    const messages = await this.inbox.wait(count, (message) => message.topic === topic)
    return messages.map(({ payload }) => JSON.parse(payload.toString()))
  }

  /** Resolves once a message with this text arrives. */
  async hears(text: string): Promise<void> {
    await this.inbox.wait(1, ({ payload }) => textOf(payload) === text)
  }

  /** Disconnects, and resolves when the broker has handled it. */
  async leave(): Promise<void> {
    const gone = this.gone()
    await this.client.endAsync()
    await gone
  }

  /** Closes the socket without DISCONNECT, so that the will is published. */
  async vanish(): Promise<void> {
    const gone = this.gone()
    this.client.stream.destroy()
    await gone
  }

  /** Resolves when the broker has closed this connection. */
  async gone(): Promise<void> {
    const { aedes } = this.#broker.running
    const id = `${this.user}/${this.client.options.clientId}`
    if (!(aedes as unknown as { clients: Record<string, unknown> }).clients[id]) return
    await new Promise<void>((resolve) => {
      const onGone = (client: { id: string }) => {
        if (client.id !== id) return
        aedes.off('clientDisconnect', onGone as never)
        resolve()
      }
      aedes.on('clientDisconnect', onGone as never)
    })
  }

  #listensToReplies = false
  async #listenToReplies(): Promise<void> {
    if (this.#listensToReplies) return
    this.#listensToReplies = true
    await this.client.subscribeAsync(`users/${this.user}/replies`, { qos: 1 })
  }

  async #reply(re: string): Promise<Json> {
    const topic = `users/${this.user}/replies`
    const before = this.#answered.get(re) ?? 0
    const found = await this.inbox.wait(before + 1, (message) => message.topic === topic && this.#reOf(message) === re)
    this.#answered.set(re, before + 1)
    return JSON.parse(found[before]!.payload.toString())
  }

  readonly #answered = new Map<string, number>()

  /** Which request a reply answers. Parsed once, as each reply that arrives is looked for among all. */
  #reOf(message: Inbox['messages'][number]): string {
    const known = this.#re.get(message)
    if (known !== undefined) return known
    const { re } = JSON.parse(message.payload.toString())
    this.#re.set(message, re)
    return re
  }

  readonly #re = new WeakMap<object, string>()
}

/** Text of a message, else its data as JSON, else the bare payload. */
export function textOf(payload: Buffer): string {
  const bare = payload.toString()
  try {
    const { text, data, type, state } = JSON.parse(bare)
    return text ?? (data === undefined ? (type ?? state ?? bare) : JSON.stringify(data))
  } catch {
    return bare
  }
}

/** Of a reply: `ok`, or the code of the refusal and the field that is wrong. */
export function codeOf({ ok, error }: { ok: boolean; error?: { code: string; field?: string } }): string {
  return ok ? 'ok' : [error!.code, error!.field].filter(Boolean).join(' ')
}
