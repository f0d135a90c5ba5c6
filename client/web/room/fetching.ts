/** What comes near the screen is fetched, one thing at a time. What has failed waits for the next connection, or for the reader to ask. */
import { type ReadonlySignal, signal } from '@preact/signals'
import type { ChatError, Item, Timeline } from '../../index.js'
import { asChatError } from '../ui/use-request.js'
import type { Scroller } from './scroller.js'
import type { Shown } from './use-timeline.js'

export type Gap = Extract<Item, { kind: 'gap' }>

export interface Failure {
  /** `older`, `newer`, or the key of a gap. */
  readonly at: string
  readonly error: ChatError
}

interface Wanted {
  readonly at: string
  fetch(): Promise<unknown>
}

/** Messages that a gap is filled with at once; a longer one is entered where the reader stands. */
const PAGE = 60

export class Fetching {
  readonly #failure = signal<Failure | null>(null)
  readonly #look: () => void
  #isBusy = false
  #frame = 0

  /** @param look Calls `begin` with what is shown by then */
  constructor(look: () => void) {
    this.#look = look
  }

  /** What could not be fetched; null: nothing. */
  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure
  }

  begin(scroller: Scroller, shown: Shown): void {
    const wanted = this.#isBusy || this.#failure.peek() ? null : wantedBy(scroller, shown)
    if (!wanted) return
    this.#isBusy = true
    void this.#fetch(wanted)
  }

  /** Resolves when the end of a gap is there, or it is said why not. */
  async fill({ key, load }: Gap): Promise<void> {
    this.#failure.value = null
    if (this.#isBusy) return
    this.#isBusy = true
    await this.#fetch({ at: key, fetch: load })
  }

  retry(): void {
    this.#failure.value = null
    this.#look()
  }

  dispose(): void {
    this.#isBusy = true
    cancelAnimationFrame(this.#frame)
  }

  /** What was rendered meanwhile was not looked at. */
  async #fetch({ at, fetch }: Wanted): Promise<void> {
    try {
      await fetch()
    } catch (error) {
      this.#failure.value = { at, error: asChatError(error) }
    }
    this.#frame = requestAnimationFrame(() => {
      this.#isBusy = false
      this.#look()
    })
  }
}

/** What is less than a screen away. */
function wantedBy(scroller: Scroller, { timeline, state, items, isWhole, mayBegin }: Shown): Wanted | null {
  if (mayBegin) return { at: 'older', fetch: () => begin(timeline) }
  if (items.length === 0 || !isWhole || state.older === 'loading' || state.newer === 'loading') return null
  const near = scroller.gapNear()
  const gap = near && items.find((item) => item.key === near.key)
  if (gap?.kind === 'gap') {
    // What is above the screen grows upwards: what is read stays. Else it is what comes next.
    const isLoaded = near!.isAbove || gap.to - gap.from < PAGE
    return { at: gap.key, fetch: () => (isLoaded ? gap.load() : timeline.jump(gap.from)) }
  }
  const { above, below, height } = scroller.space
  if (state.older === 'more' && above < height) return { at: 'older', fetch: () => timeline.older() }
  if (state.newer === 'more' && below < height) return { at: 'newer', fetch: () => timeline.newer() }
  return null
}

/** Where the reader left off, or is to be; else with what there is: the device has the newest messages. */
function begin(timeline: Timeline): Promise<unknown> {
  return timeline.begin().catch(() => timeline.jump('latest'))
}
