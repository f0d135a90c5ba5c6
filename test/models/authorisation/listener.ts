/** Who listens, through whichever door: what it may hear, what it heard, and what it is still owed. */

import { inTime } from '../../helpers/patience.js'
import { matches } from '../session/matching.js'
import type { QoS } from './words.js'
import type { Reader, Secret, World } from './world.js'

/** The broker did what the model does not allow, or did not do what it demands. */
export class Violation extends Error {}

export interface Heard {
  topic: string
  text: string
}

/** Looks at the clock (patience.ts) after which what is owed counts as lost. */
export const LOOKS = 100

export abstract class Listener {
  readonly name: string
  reader: Reader
  /** Granted, with their QoS. */
  readonly filters = new Map<string, QoS>()
  /** Unsubscribed: what was on its way may still come. */
  readonly lingering = new Set<string>()
  connected = false
  /** What it is owed outlives its connection. */
  kept = false
  /** It acknowledges nothing for now, so nothing is awaited of it. */
  held = false
  /** Since it was last looked at. */
  heard: Heard[] = []
  /** `{topic} {marker}` of what has to come; whether it does after a reconnect too. */
  readonly owed = new Map<string, { topic: string; secret: Secret; lasting: boolean }>()
  /** The last tick it heard. */
  ticked = ''
  #waiting: (() => void)[] = []

  constructor(name: string, reader: Reader) {
    this.name = name
    this.reader = reader
  }

  /** The highest QoS at which its filters show `topic`; null: none does. What a share group gets may go to another. */
  shows(topic: string): QoS | null {
    let best: QoS | null = null
    for (const [filter, qos] of this.filters)
      if (this.covers(filter, topic) && (best === null || qos > best)) best = qos
    return best
  }

  /** `rooms/{room}/text`, and what one's own devices say, is shown to filters that name it. */
  covers(filter: string, topic: string): boolean {
    if (topic.endsWith('/text') && !filter.endsWith('/text')) return false
    if (topic.startsWith(`devices/${this.reader.user}/`) && /^devices\/[+#]/.test(filter)) return false
    return matches(filter, topic)
  }

  /** Whether it asked to hear anything of `topic`; what goes to a share group counts. */
  asksFor(topic: string, before: Iterable<string>): boolean {
    const filters = [...this.filters.keys(), ...this.lingering, ...before]
    return filters.some((filter) => matches(filter.replace(/^\$share\/\w+\//, ''), topic))
  }

  /** Something was said. `kind`: of the moment, in a log, or on a plain topic at this QoS. */
  owe(world: World, secret: Secret, kind: 'ephemeral' | 'log' | QoS): void {
    for (const one of secret.topics) {
      const topic = one.replace('{reader}', this.reader.user)
      const qos = this.shows(topic)
      if (qos === null || !world.mayBeTold(this.reader, topic, secret)) continue
      // It may have come before its sender was told that it was taken.
      if (this.heard.some((heard) => heard.topic === topic && heard.text.includes(secret.marker))) continue
      const lasting = this.kept && qos > 0 && (kind === 'log' || (kind !== 'ephemeral' && kind > 0))
      if (this.connected || lasting) this.owed.set(`${topic} ${secret.marker}`, { topic, secret, lasting })
    }
  }

  /** What is no more shown, or no more allowed, is not owed. */
  prune(world: World): void {
    for (const [key, { topic, secret }] of this.owed) {
      const due = this.shows(topic) !== null && world.mayBeTold(this.reader, topic, secret)
      if (!due) this.owed.delete(key)
    }
  }

  /** The connection is gone. */
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
