/**
 * Makes the store of a running broker keep no more order than its port promises (broker/store/changes.ts): each log, each
 * session, the queues with the retained messages, and each other record is a place of its own, with its own speed. Changes of one
 * place are written and settle in the order of the calls; between two places there is no order.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { Change } from '../../broker/store/changes.js'
import type { Op } from '../../broker/store/op.js'
import type { Store } from '../../broker/store/store.js'
import type { Random } from './random.js'

/** Turns of the event loop that a place may take for one change. */
const MOST_TURNS = 12

const OF_SESSIONS: ReadonlySet<string> = new Set(['session', 'sessionState', 'subscription'])

/** Queues and retained messages. */
const QUEUES = 'queues'

export class UnorderedStore {
  /** Changes in the order in which they settled, numbered by their `commit` calls. */
  readonly settled: number[] = []
  readonly #commit: Store['commit']
  readonly #random: Random | null
  readonly #held = new Map<string, Promise<void>>()
  /** By place: its last change. */
  readonly #last = new Map<string, Promise<void>>()
  readonly #underWay = new Set<Promise<void>>()
  #count = 0
  #progress: () => void = () => {}

  /** `random`: how long the places take; null: no longer than the store, except those that are held. */
  constructor(store: Store, random: Random | null = null) {
    this.#commit = store.commit.bind(store)
    this.#random = random
    store.commit = (change) => this.#add(change)
    const { sessions } = store
    sessions.writeLazily = (ops, guards = null) =>
      new Promise((resolve, reject) => {
        const settled: Change['settled'] = (error) => (error ? reject(error) : resolve())
        store.commit({ drafts: [], ops, guards, lazy: true, settled })
      })
    const close = store.close.bind(store)
    store.close = async () => {
      while (this.#underWay.size > 0) await Promise.all(this.#underWay)
      await close()
    }
  }

  /** How many changes were settled before one that was committed earlier. */
  get reordered(): number {
    let highest = -1
    return this.settled.filter((number) => number < (highest = Math.max(highest, number))).length
  }

  /** Nothing of the place is written until the returned function is called. */
  hold(place: string): () => void {
    let release!: () => void
    this.#held.set(place, new Promise((resolve) => (release = resolve)))
    return () => {
      this.#held.delete(place)
      release()
    }
  }

  /** Resolves once `count` changes have settled. */
  async whenSettled(count: number): Promise<void> {
    while (this.settled.length < count) await new Promise<void>((resolve) => (this.#progress = resolve))
  }

  #add(change: Change): void {
    if (change.drafts.length + change.ops.length === 0) return this.#commit(change)
    const number = this.#count++
    const places = placesOf(change)
    const before = [...places].map((place) => this.#last.get(place))
    const done = Promise.all(before).then(() => this.#pass(change, places, number))
    for (const place of places) this.#last.set(place, done)
    this.#underWay.add(done)
    void done.then(() => this.#underWay.delete(done))
  }

  async #pass(change: Change, places: ReadonlySet<string>, number: number): Promise<void> {
    for (let turns = this.#random?.below(MOST_TURNS) ?? 0; turns > 0; turns--) await turn()
    for (const place of places) await this.#held.get(place)
    const { drafts, ops, guards = null, asOf, lazy = false } = change
    await new Promise<void>((over) => {
      const settled: Change['settled'] = (error, results, enqueued) => {
        this.settled.push(number)
        change.settled(error, results, enqueued)
        over()
      }
      this.#commit({ drafts, ops, guards, asOf, lazy, settled })
    })
    this.#progress()
  }
}

function placesOf({ drafts, ops }: Change): Set<string> {
  return new Set([...drafts.map(({ log }) => log), ...ops.map(placeOf)])
}

function placeOf(op: Op): string {
  switch (op.type) {
    case 'put':
    case 'delete':
      return placeOfRecord(op.table, op.key)
    case 'clear':
      return placeOfRecord(op.table, op.owner)
    case 'effect':
    case 'readLog':
    case 'dropLog':
      return op.log
    case 'touch':
      return op.guard
    default:
      return QUEUES
  }
}

function placeOfRecord(table: string, key: string): string {
  const [owner, name] = key.split('\0')
  // Less than promised: even the packet ids of one session are places of their own.
  if (table === 'sessionState' && name?.startsWith('i')) return `packet ${key}`
  return OF_SESSIONS.has(table) ? `session ${owner}` : `${table} ${owner}`
}
