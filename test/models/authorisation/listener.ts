/** A listener (an MQTT session or an event stream): what it may receive, what it received, and what it still must receive. */

import { inTime } from '../../helpers/patience.js'
import { matches } from '../session/matching.js'
import type { QoS } from './words.js'
import type { Reader, Secret, World } from './world.js'

/** The broker did what the model forbids, or did not do what it requires. */
export class Violation extends Error {}

export interface Heard {
  topic: string
  text: string
}

/** Clock ticks without an event (patience.ts) after which a required message counts as lost. */
export const LOOKS = 100

export abstract class Listener {
  readonly name: string
  reader: Reader
  /** Granted filters with their QoS. */
  readonly filters = new Map<string, QoS>()
  /** Filters that were unsubscribed: messages in flight may still arrive. */
  readonly lingering = new Set<string>()
  connected = false
  /** Its messages survive the connection (a persistent session). */
  kept = false
  /** It does not acknowledge at present, so no message is required to arrive. */
  held = false
  /** Received since the last check. */
  heard: Heard[] = []
  /** `{topic} {marker}` of messages that must arrive; `lasting`: even after a reconnect. */
  readonly owed = new Map<string, { topic: string; secret: Secret; lasting: boolean }>()
  /** The last tick received. */
  ticked = ''
  #waiting: (() => void)[] = []

  constructor(name: string, reader: Reader) {
    this.name = name
    this.reader = reader
  }

  /**
   * The highest QoS at which its filters match `topic`; null: none. Filters of a share group do not count, because another member may get
   * the message.
   */
  shows(topic: string): QoS | null {
    let best: QoS | null = null
    for (const [filter, qos] of this.filters)
      if (this.covers(filter, topic) && (best === null || qos > best)) best = qos
    return best
  }

  /** `rooms/{room}/text`, and messages of the user's own devices, are only delivered to filters that name them. */
  covers(filter: string, topic: string): boolean {
    if (topic.endsWith('/text') && !filter.endsWith('/text')) return false
    if (topic.startsWith(`devices/${this.reader.user}/`) && /^devices\/[+#]/.test(filter)) return false
    return matches(filter, topic)
  }

  /** Whether a filter matches `topic`, those of share groups included. */
  asksFor(topic: string, before: Iterable<string>): boolean {
    const filters = [...this.filters.keys(), ...this.lingering, ...before]
    return filters.some((filter) => matches(filter.replace(/^\$share\/\w+\//, ''), topic))
  }

  /** A message was accepted. `kind`: ephemeral, logged, or on a plain topic at this QoS. */
  owe(world: World, secret: Secret, kind: 'ephemeral' | 'log' | QoS): void {
    for (const one of secret.topics) {
      const topic = one.replace('{reader}', this.reader.user)
      const qos = this.shows(topic)
      if (qos === null || !world.mayBeTold(this.reader, topic, secret)) continue
      // It may arrive before its publisher gets the ack.
      if (this.heard.some((heard) => heard.topic === topic && heard.text.includes(secret.marker))) continue
      const lasting = this.kept && qos > 0 && (kind === 'log' || (kind !== 'ephemeral' && kind > 0))
      if (this.connected || lasting) this.owed.set(`${topic} ${secret.marker}`, { topic, secret, lasting })
    }
  }

  /** Removes requirements for topics that are no longer subscribed or allowed. */
  prune(world: World): void {
    for (const [key, { topic, secret }] of this.owed) {
      const due = this.shows(topic) !== null && world.mayBeTold(this.reader, topic, secret)
      if (!due) this.owed.delete(key)
    }
  }

  /** The connection closed. */
  dropped(): void {
    this.connected = false
    if (!this.kept) {
      this.filters.clear()
      this.lingering.clear()
    }
    for (const [key, { lasting }] of this.owed) if (!lasting || !this.kept) this.owed.delete(key)
    this.wake()
  }

  hear(topic: string, text: string): void {
    if (topic === 'tick') this.ticked = text
    else this.heard.push({ topic, text })
    for (const marker of markersIn(text)) this.owed.delete(`${topic} ${marker}`)
    this.wake()
  }

  /** Waits until `holds`. */
  until(holds: () => boolean, lost: () => string): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    return inTime(wait(), LOOKS, () => new Violation(`${this.name}: ${lost()}`))
  }

  async satisfied(): Promise<void> {
    await this.until(
      () => this.owed.size === 0 || this.held || !this.connected,
      () => `never got ${[...this.owed.keys()].join(', ')}`,
    )
  }

  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

export function markersIn(text: string): string[] {
  return text.match(/mk\d+x/g) ?? []
}
