/** Two correct clients that keep sending to each other, and record any fault. */
import mqtt, { type MqttClient } from 'mqtt'
import type { BrokerProcess } from './broker-process.js'

const KINDS = ['direct 1', 'direct 2', 'plain 1', 'plain 2'] as const

interface Half {
  readonly user: string
  readonly client: MqttClient
  /** The last number received, by stream. */
  readonly received: Map<string, number>
}

export class HealthyPair {
  /** Descriptions of faults. */
  readonly faults: string[] = []
  /** Duration of the slowest round, in ms. */
  slowest = 0
  beats = 0
  readonly #halves: readonly [Half, Half]
  #progress = (): void => {}

  private constructor(halves: readonly [Half, Half]) {
    this.#halves = halves
    for (const half of halves) this.#watch(half)
  }

  /** hana uses MQTT 3.1.1 over TCP, hugo MQTT 5 over WebSocket, both with persistent sessions. */
  static async meet(broker: BrokerProcess, httpPort: number): Promise<HealthyPair> {
    const hana = await join(broker, 'hana', broker.url, { protocolVersion: 4 })
    const hugo = await join(broker, 'hugo', `ws://127.0.0.1:${httpPort}/mqtt`, {
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 3600 },
    })
    const pair = new HealthyPair([hana, hugo])
    await hana.client.subscribeAsync(['users/hana/messages', 'devices/hugo/line/#'], { qos: 2 })
    await hugo.client.subscribeAsync(['users/hugo/messages', 'devices/hana/line/#'], { qos: 2 })
    return pair
  }

  /** Rules that let them exchange messages on plain topics. */
  static readonly rules = [
    '{allow: subscribe, who: "user:hana", topics: ["devices/hugo/line/#"]}',
    '{allow: subscribe, who: "user:hugo", topics: ["devices/hana/line/#"]}',
  ]

  /** Each sends one message per stream; resolves when all are acknowledged and received. */
  async beat(): Promise<void> {
    const begun = performance.now()
    const number = ++this.beats
    const [one, other] = this.#halves
    await Promise.all([this.#speak(one, other, number), this.#speak(other, one, number)])
    while (this.faults.length === 0 && !this.#arrived(number)) {
      await new Promise<void>((resolve) => (this.#progress = resolve))
    }
    this.slowest = Math.max(this.slowest, performance.now() - begun)
  }

  async part(): Promise<void> {
    for (const { client } of this.#halves) {
      client.removeAllListeners('close')
      await client.endAsync()
    }
  }

  #arrived(number: number): boolean {
    return this.#halves.every(({ received }) => KINDS.every((kind) => received.get(kind) === number))
  }

  async #speak(from: Half, to: Half, number: number): Promise<void> {
    const sends = KINDS.map((kind) => {
      const qos = kind.endsWith('2') ? 2 : 1
      return kind.startsWith('direct')
        ? from.client.publishAsync(`users/${to.user}/messages`, JSON.stringify({ text: `${kind} ${number}` }), { qos })
        : from.client.publishAsync(`devices/${from.user}/line/${qos}`, `${kind} ${number}`, { qos })
    })
    await Promise.all(sends).catch((error: Error) => this.#fault(`${from.user}: ${error.message}`))
  }

  #watch(half: Half): void {
    const { user, client, received } = half
    client.on('close', () => this.#fault(`${user}: the connection closed`))
    client.on('error', (error) => this.#fault(`${user}: ${error.message}`))
    client.on('message', (topic, payload) => {
      const text = topic.startsWith('devices/') ? payload.toString() : textFromPeer(payload, this.#peerOf(half))
      const line = /^(\w+ \d) (\d+)$/.exec(text ?? '')
      if (line) this.#take(user, received, line[1]!, Number(line[2]))
      this.#progress()
    })
  }

  #take(user: string, received: Map<string, number>, kind: string, number: number): void {
    const last = received.get(kind) ?? 0
    if (number !== last + 1) this.#fault(`${user}: ${kind}: ${number} came after ${last}`)
    received.set(kind, number)
  }

  #peerOf(half: Half): string {
    return this.#halves.find((other) => other !== half)!.user
  }

  #fault(what: string): void {
    this.faults.push(`beat ${this.beats}: ${what}`)
    this.#progress()
  }
}

/** Messages of other clients are ignored. */
function textFromPeer(payload: Buffer, peer: string): string | undefined {
  const { from, text } = JSON.parse(payload.toString())
  return from === peer ? text : undefined
}

async function join(broker: BrokerProcess, user: string, url: string, options: mqtt.IClientOptions): Promise<Half> {
  const client = await mqtt.connectAsync(url, {
    username: user,
    password: await broker.token(user),
    clientId: user,
    clean: false,
    reconnectPeriod: 0,
    keepalive: 60,
    ...options,
  })
  ;(client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true)
  return { user, client, received: new Map() }
}
