/** The connection, as those see it who look at something: when it has to be asked for, and what comes live. */
import type { Clock } from '../base/platform.js'
import type { MakeChores } from '../engine/chores.js'
import type { Engine } from '../engine/engine.js'
import type { Item } from '../engine/inbox.js'
import type { Replica } from '../engine/replica.js'
import type { Methods } from '../requests/methods.js'
import { utf8 } from '../wire/utf8.js'
import type { Wire } from '../wire/wire.js'
import { Subscriptions } from './subscriptions.js'

export interface Looker {
  /** The client is up to date: on a new connection, or again when it had missed something. */
  up?(): void
  /** The connection has ended: no timer may be left. */
  down?(): void
  /** What came live, in its order, once it is applied. */
  heard?(item: Item): void
  /** Another user has logged in. */
  forget?(): void
}

export interface LinkOptions {
  readonly engine: Engine
  /** On the connection as it is. */
  readonly ask: Methods
  readonly clock: Clock
}

export class Link {
  readonly replica: Replica
  readonly chores: MakeChores
  readonly ask: Methods
  readonly clock: Clock
  readonly subscriptions = new Subscriptions()
  #wire: Wire | null = null
  #isUp = false
  readonly #lookers: Looker[] = []

  constructor({ engine, ask, clock }: LinkOptions) {
    this.replica = engine.replica
    this.chores = engine.chores
    this.ask = ask
    this.clock = clock
    engine.onUpToDate(() => this.#up())
    engine.onItems((items) => {
      for (const item of items) this.#heard(item)
    })
  }

  /** The client is up to date on this connection. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** For as long as the client. */
  add(looker: Looker): void {
    this.#lookers.push(looker)
  }

  begin(wire: Wire): void {
    this.#wire = wire
  }

  ended(): void {
    this.#wire = null
    this.#isUp = false
    this.subscriptions.ended()
    for (const looker of this.#lookers) looker.down?.()
  }

  forget(): void {
    for (const looker of this.#lookers) looker.forget?.()
  }

  /** At QoS 0: nobody waits for it, and without a connection it is dropped. */
  publish(topic: string, value: object): void {
    this.#wire?.publish({ topic, payload: utf8(JSON.stringify(value)), qos: 0 }).catch(() => {})
  }

  #up(): void {
    if (!this.#wire) return
    this.#isUp = true
    this.subscriptions.begin(this.#wire)
    for (const looker of this.#lookers) looker.up?.()
  }

  #heard(item: Item): void {
    // Their presence may be visible now; after a room was entered the client is brought up to date anyway.
    if (item.kind === 'userEvent' && item.event.type === 'contact') this.subscriptions.again()
    for (const looker of this.#lookers) looker.heard?.(item)
  }
}
