/** Follows what is on its way, and tells what becomes of it where it cannot be seen, such as in another room than the open one. */
import type { Outgoing } from '../../node/index.js'
import { outgoingText } from '../desk.js'
import { printableLine } from '../printable.js'
import { nameOf } from '../rooms.js'

export interface DeparturesDeps {
  readonly me: string
  /** Whether it is seen in what is open. */
  shows(outgoing: Outgoing): boolean
  /** A message is on its way into what is open. */
  began(): void
  /** Something of it is another. */
  changed(): void
  say(text: string): void
}

export class Departures {
  readonly #deps: DeparturesDeps
  readonly #watched = new WeakSet<Outgoing>()

  constructor(deps: DeparturesDeps) {
    this.#deps = deps
  }

  watch(outbox: readonly Outgoing[]): void {
    for (const outgoing of outbox) {
      if (this.#watched.has(outgoing)) continue
      this.#watched.add(outgoing)
      if (outgoing.input.target === undefined && this.#deps.shows(outgoing)) this.#deps.began()
      outgoing.state.subscribe(() => this.#moved(outgoing))
      // It was refused the last time.
      if (outgoing.state.current.at === 'failed') this.#moved(outgoing)
    }
    this.#deps.changed()
  }

  #moved(outgoing: Outgoing): void {
    const { room, state, input } = outgoing
    const { shows, say, changed, me } = this.#deps
    changed()
    if (shows(outgoing)) return
    const now = state.current
    const thread = input.thread === undefined ? '' : ` #${input.thread}`
    const what = `${nameOf(room, me)}${thread}: ${outgoingText(outgoing)}`
    if (now.at === 'failed') say(`not sent to ${what}: ${printableLine(now.error.message)} (/retry or /cancel)`)
    else if (now.at === 'sent' && now.seq > 0 && input.target === undefined) say(`sent to ${what}`)
  }
}
