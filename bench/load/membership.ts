/** A bystander's pings, while others make a room, fill it, write to it and leave it. */
import http from 'node:http'
import { Histogram, type HistogramData } from '../histogram.js'
import { topicOf } from './cells.js'
import { pause } from './crowd.js'
import { publishAcknowledged } from './herd.js'
import { Link } from './link.js'
import { type Caller, call } from './requests.js'

export interface MembershipOptions {
  readonly port: number
  readonly httpPort: number
  /** The first one makes the room. */
  readonly people: readonly Caller[]
  /** Another user. */
  readonly bystander: Caller
  readonly messages: number
}

export interface Phase {
  readonly phase: string
  readonly seconds: number
  readonly pings: HistogramData
}

const PING_EVERY_MS = 5
/** Requests under way at a time. */
const LINES = 16
const ROOM = 0

export async function* phases({
  port,
  httpPort,
  people,
  bystander,
  messages,
}: MembershipOptions): AsyncGenerator<Phase> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: LINES })
  const pinging = await Pinging.start(port, bystander)
  const room = topicOf(ROOM).split('/')[1]!
  const ask = async (person: Caller, path: string, params = {}): Promise<void> => {
    const { status } = await call(agent, httpPort, { verb: 'POST', path }, params, person.password)
    if (status >= 300) throw new Error(`POST ${path} was answered with ${status}`)
  }
  const all = async (path: string): Promise<void> => {
    let next = 1
    const line = async (): Promise<void> => {
      while (next < people.length) await ask(people[next++]!, path)
    }
    await Promise.all(Array.from({ length: LINES }, line))
  }
  const [owner] = people as [Caller]
  const writer = new Link(port, 'tcp')
  await writer.open(owner)
  const steps: [string, () => Promise<void>][] = [
    ['nothing', () => pause(1000)],
    ['create', () => ask(owner, '/v1/rooms', { room, access: 'public' })],
    ['join', () => all(`/v1/rooms/${room}/join`)],
    ['write', () => publishAcknowledged(writer, topicOf(ROOM), messages)],
    ['leave', () => all(`/v1/rooms/${room}/leave`)],
  ]
  for (const [phase, step] of steps) {
    pinging.clear()
    const start = performance.now()
    await step()
    const seconds = (performance.now() - start) / 1000
    await pinging.turn()
    yield { phase, seconds, pings: pinging.latencies.toData() }
  }
  writer.close()
  pinging.stop()
  agent.destroy()
}

/** Pings at a fixed rate; one that waits for another counts from when it should have left. */
class Pinging {
  latencies = new Histogram()
  readonly #link: Link
  #stopped = false
  #turn = Promise.resolve()

  private constructor(link: Link) {
    this.#link = link
  }

  static async start(port: number, bystander: Caller): Promise<Pinging> {
    const link = new Link(port, 'tcp')
    await link.open(bystander)
    const pinging = new Pinging(link)
    void pinging.#run()
    return pinging
  }

  async #run(): Promise<void> {
    for (let due = performance.now(); !this.#stopped; due += PING_EVERY_MS) {
      const early = due - performance.now()
      if (early > 0) await pause(early)
      this.#turn = this.#link.ping().then(() => this.latencies.record((performance.now() - due) * 1000))
      await this.#turn
    }
    this.#link.close()
  }

  clear(): void {
    this.latencies = new Histogram()
  }

  /** Resolves when what is under way has come back. */
  turn(): Promise<void> {
    return this.#turn
  }

  stop(): void {
    this.#stopped = true
  }
}
