/** Where a broker writes: changes can be held back before they come to the store, and end with the broker that made them. */
import { setImmediate as turn } from 'node:timers/promises'
import { type Change, StoreError } from '../../broker/store/changes.js'
import type { Op } from '../../broker/store/op.js'
import type { Store } from '../../broker/store/store.js'

export class WriteLine {
  readonly #store: Pick<Store, 'commit'>
  isCutOff = false
  readonly #opening: (() => void)[] = []
  #held: Change[] | null = null
  #isFailing = false
  #isHeld: (change: Change) => boolean = () => true
  #ended = false

  constructor(store: Pick<Store, 'commit'>) {
    this.#store = store
  }

  /** Of a store that is in use already. */
  static before(store: Store): WriteLine {
    const line = new WriteLine({ commit: store.commit.bind(store) })
    store.commit = (change) => line.commit(change)
    store.sessions.writeLazily = (ops, guards = null) =>
      new Promise((resolve, reject) => {
        const settled: Change['settled'] = (error) => (error ? reject(error) : resolve())
        store.commit({ drafts: [], ops, guards, lazy: true, settled })
      })
    return line
  }

  commit(change: Change): void {
    if (this.#ended) change.settled(new StoreError('this node has ended'), [])
    else if (this.#isFailing && this.#isHeld(change)) change.settled(new StoreError('the disk is gone'), [])
    else if (this.#held && this.#isHeld(change)) this.#held.push(change)
    else this.#store.commit(change)
  }

  /** @param which Of what is committed from now on; everything, if it is not said */
  hold(which: (change: Change) => boolean = () => true): void {
    this.#held ??= []
    this.#isHeld = which
  }

  holds(matches: (op: Op) => boolean): boolean {
    return (this.#held ?? []).some(({ ops }) => ops.some(matches))
  }

  /** Whether a change is held back that is about the state of a session. */
  holdsStateOf(session: string): boolean {
    return this.holds((op) => op.type === 'put' && op.table === 'sessionState' && op.key.startsWith(`${session}\0`))
  }

  /** Resolves when it is not held, a round trip later. */
  async open(): Promise<void> {
    if (this.isCutOff) throw new StoreError('the store does not answer')
    if (this.#held) await new Promise<void>((resolve) => this.#opening.push(resolve))
    if (this.#ended) throw new StoreError('this node has ended')
    await turn()
  }

  /** Resolves when what was held is written, or is not. */
  async release(): Promise<void> {
    const held = this.#held ?? []
    this.#held = null
    this.#isFailing = false
    this.isCutOff = false
    for (const open of this.#opening.splice(0)) open()
    for (const change of held) this.#store.commit(change)
    await new Promise<void>((settled) =>
      this.#store.commit({ drafts: [], ops: [], guards: NONE, settled: () => settled() }),
    )
  }

  /** What is held fails, and what would be, until it is released. */
  fail(): void {
    this.#isFailing = true
    for (const change of this.#held?.splice(0) ?? []) this.commit(change)
  }

  end(): void {
    this.#ended = true
    for (const change of this.#held?.splice(0) ?? []) this.commit(change)
    for (const open of this.#opening.splice(0)) open()
  }
}

const NONE = { at: 0, keys: [] }
