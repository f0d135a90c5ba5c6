/** The members of a cell's rooms, connected: they publish in a closed loop, or at a fixed rate. */
import { Histogram, type HistogramData } from '../histogram.js'
import { type Cell, topicOf, userOf } from './cells.js'
import { Link } from './link.js'
import { Publisher, payloadOf, stampOf } from './publisher.js'

export interface CrowdOptions {
  /** Of the nodes; the members of a room take them in turn. */
  readonly ports: readonly number[]
  readonly cell: Cell
  /** Passwords by user; null: no login. */
  readonly passwords: Record<string, string> | null
}

export interface PaceOptions {
  /** Messages a second, of all speakers together. */
  readonly rate: number
  readonly seconds: number
}

export interface Paced {
  readonly latencies: HistogramData
  readonly sent: number
  readonly expected: number
  readonly received: number
}

/** Handshakes under way at a time: a login storm is another benchmark. */
const CONNECTING = 50
/** How long the last messages of a paced run may take. */
const TAIL_MS = 3000

export class Crowd {
  readonly totals = { deliveries: 0, published: 0 }
  readonly #cell: Cell
  readonly #links: Link[] = []
  readonly #listeners: Link[] = []
  readonly #speakers: Publisher[][] = []
  #latencies = new Histogram()
  #frozen = 0
  #looping = false

  private constructor(cell: Cell) {
    this.#cell = cell
  }

  static async assemble({ ports, cell, passwords }: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(cell)
    const payload = payloadOf(cell.payloadBytes)
    const joining: Promise<void>[] = []
    for (let room = cell.firstRoom; room < cell.firstRoom + cell.rooms; room++) {
      const speakers: Publisher[] = []
      crowd.#speakers.push(speakers)
      for (let member = 0; member < cell.members; member++) {
        const link = new Link(ports[(room + member) % ports.length]!, cell.transport)
        const user = userOf(cell, room, member)
        const last = member === cell.members - 1
        const listens = !cell.onlyLastListens || last
        if (member < cell.speakers) speakers.push(new Publisher(link, topicOf(room), cell.qos, payload))
        crowd.#add(link, listens, last ? speakers : null)
        joining.push(join(link, user, passwords?.[user] ?? null, listens ? topicOf(room) : null, cell))
        if (joining.length >= CONNECTING) await Promise.all(joining.splice(0))
      }
    }
    await Promise.all(joining)
    return crowd
  }

  #add(link: Link, listens: boolean, answering: Publisher[] | null): void {
    this.#links.push(link)
    if (!listens) return
    this.#listeners.push(link)
    let turn = 0
    link.onMessages = (count) => {
      this.totals.deliveries += count
      if (!answering || !this.#looping) return
      this.totals.published += count
      if (answering.length === 1) answering[0]!.publish(count)
      else for (let i = 0; i < count; i++) answering[turn++ % answering.length]!.publish(1)
    }
  }

  /** The closed loop: what the last member of a room receives, its speakers publish again. */
  loop(): void {
    this.#looping = true
    for (const speakers of this.#speakers) {
      for (const speaker of speakers) speaker.publish(this.#cell.window)
      this.totals.published += speakers.length * this.#cell.window
    }
  }

  /**
   * At a fixed rate, whatever comes back. Latency counts from when a message should have left: a stall of the broker, or of this process,
   * does not hide the messages that it has held up.
   */
  async pace({ rate, seconds }: PaceOptions): Promise<Paced> {
    const latencies = this.#listen()
    const speakers = this.#speakers.flat()
    const total = Math.round(rate * seconds)
    const start = performance.now()
    const before = this.totals.deliveries
    const perMessage = (this.#listeners.length - this.#frozen) / this.#speakers.length
    let sent = 0
    await new Promise<void>((resolve) => {
      const tick = setInterval(() => {
        const due = Math.min(total, 1 + Math.floor(((performance.now() - start) * rate) / 1000))
        while (sent < due) {
          const us = Math.round((start + (1000 * sent) / rate) * 1000)
          speakers[sent % speakers.length]!.publishStamped(us)
          sent++
        }
        if (sent < total) return
        clearInterval(tick)
        resolve()
      }, 1)
    })
    const expected = sent * perMessage
    const until = performance.now() + TAIL_MS
    while (latencies.total < expected && performance.now() < until) await pause(5)
    return { latencies: latencies.toData(), sent, expected, received: this.totals.deliveries - before }
  }

  #listen(): Histogram {
    const latencies = new Histogram()
    this.#latencies = latencies
    for (const link of this.#listeners) {
      link.onMessage = (bytes, at, end) => {
        const us = stampOf(bytes, at, end)
        if (us >= 0) this.#latencies.record(performance.now() * 1000 - us)
      }
    }
    return latencies
  }

  /** The first `count` listeners of the first room that do not speak stop reading; that the broker cuts them off is fine. */
  freeze(count: number): void {
    const { speakers } = this.#cell
    for (const link of this.#listeners.slice(speakers, speakers + count)) {
      link.onLost = () => {}
      link.onMessage = null
      link.freeze()
    }
    this.#frozen = count
  }

  close(): void {
    for (const link of this.#links) link.close()
  }
}

async function join(
  link: Link,
  user: string,
  password: string | null,
  topic: string | null,
  { qos }: Cell,
): Promise<void> {
  await link.open({ user, password })
  if (topic !== null) await link.subscribe(topic, qos)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
