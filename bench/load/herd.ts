/** Many clients that connect, hold still, go away and come back. */
import { topicOf, userName } from './cells.js'
import { pause } from './crowd.js'
import { Link } from './link.js'
import { Publisher, payloadOf } from './publisher.js'
import type { Transport } from './wire.js'

export interface HerdOptions {
  readonly port: number
  readonly transport: Transport
  /** Users from the first to the one before the end. */
  readonly first: number
  readonly end: number
  readonly passwords: Record<string, string> | null
  /** Handshakes under way at a time. */
  readonly concurrency: number
  /** Their sessions outlive their connections. */
  readonly keep?: boolean
}

export interface EnqueueOptions {
  readonly port: number
  readonly rooms: number
  readonly messages: number
  readonly password: string | null
}

/** A user beside the herd. */
export const SPEAKER = 'speaker'
/** PUBACKs outstanding while a backlog is made. */
const UNACKNOWLEDGED = 100
/** After that long without a message there is nothing more to come. */
const SILENCE_MS = 20_000

export class Herd {
  #links: Link[] = []
  received = 0
  #progress = 0

  /** Seconds until all are connected. */
  async connect(options: HerdOptions): Promise<number> {
    const { first, end, concurrency } = options
    const start = performance.now()
    let next = first
    const line = async (): Promise<void> => {
      while (next < end) await this.#admit(options, next++)
    }
    await Promise.all(Array.from({ length: concurrency }, line))
    return (performance.now() - start) / 1000
  }

  async #admit({ port, transport, passwords, keep }: HerdOptions, index: number): Promise<void> {
    const user = userName(index)
    const link = new Link(port, transport)
    this.#links.push(link)
    link.onMessages = (count) => {
      this.received += count
      this.#progress = performance.now()
    }
    await link.open({ user, password: passwords?.[user] ?? null, ...(keep && { keep }) })
  }

  /** Subscribes every client to its room, in order. */
  async subscribe({ perRoom }: { perRoom: number }): Promise<void> {
    for (const [i, link] of this.#links.entries()) await link.subscribe(topicOf(Math.floor(i / perRoom)), 1)
  }

  /** Resolves with the seconds until `count` messages had come, or nothing came any more. */
  async drain({ count }: { count: number }): Promise<number> {
    const start = performance.now()
    this.#progress = start
    while (this.received < count && performance.now() - this.#progress < SILENCE_MS) await pause(5)
    return (this.#progress - start) / 1000
  }

  expectLoss(): void {
    for (const link of this.#links) link.onLost = () => {}
  }

  leave(): void {
    for (const link of this.#links.splice(0)) link.close()
    this.received = 0
  }
}

/** Publishes a backlog into each room at QoS 1; resolves with the seconds it took to have all of it acknowledged. */
export async function enqueue({ port, rooms, messages, password }: EnqueueOptions): Promise<number> {
  const link = new Link(port, 'tcp')
  await link.open({ user: SPEAKER, password })
  const start = performance.now()
  for (let room = 0; room < rooms; room++) await publishAcknowledged(link, topicOf(room), messages)
  link.close()
  return (performance.now() - start) / 1000
}

/** Resolves when the broker has acknowledged `count` messages. */
export function publishAcknowledged(link: Link, topic: string, count: number, bytes?: number): Promise<void> {
  const publisher = new Publisher(link, topic, 1, payloadOf(bytes ?? 64))
  return new Promise((resolve) => {
    let sent = 0
    let acknowledged = 0
    const more = (room: number): void => {
      const now = Math.min(room, count - sent)
      sent += now
      if (now > 0) publisher.publish(now)
    }
    link.onAcks = (acks) => {
      acknowledged += acks
      if (acknowledged === count) resolve()
      else more(acks)
    }
    more(UNACKNOWLEDGED)
  })
}
