/** Lines that were entered. What opens another room late gives way to what the user does meanwhile, and no line goes to another room than was meant. */
import { commandNamed, obey } from '../commands.js'
import type { Desk } from '../desk.js'
import { type Input, parseInput } from '../input.js'
import { printable } from '../printable.js'
import type { Composer } from './composer.js'
import type { RoomView } from './room-view.js'

export interface EntriesDeps {
  readonly composer: Pick<Composer, 'isEmpty' | 'edit'>
  /** What is open. */
  view(): RoomView
  /** As it is now. Its `open` asks `mayShow` when the room can be shown; with false it only says so. */
  desk(mayShow: () => boolean): Desk
  say(text: string): void
}

/** A line that may open another room. */
interface Opening {
  readonly from: RoomView
  gaveWay: boolean
  /** Resolves with whether it was opened, or was not to be. */
  done: Promise<boolean>
}

export class Entries {
  readonly #deps: EntriesDeps
  /** The last one that is under way. */
  #opening: Opening | null = null

  constructor(deps: EntriesDeps) {
    this.#deps = deps
  }

  /** `target`: the message that it replaces; null: it is a new line. What failed may be typed on. */
  async enter(line: string, target: number | null): Promise<void> {
    const { composer, view, say } = this.#deps
    const from = view()
    try {
      const input = inputOf(line, target)
      const isLater = target === null && !isAnywhere(input) && this.#opening?.from === from
      if (isLater) await this.#opened()
      await this.#obey(input)
    } catch (error) {
      const isBack = view() === from && composer.isEmpty
      say(printable((error as Error).message + (isBack ? '' : ` (${line})`)))
      if (isBack) composer.edit(target, line)
    }
  }

  async #obey(input: Input): Promise<void> {
    const opening: Opening = { from: this.#deps.view(), gaveWay: false, done: Promise.resolve(true) }
    const desk = this.#deps.desk(() => this.#mayShow(opening))
    if (!mayOpen(input)) return obey(desk, input)
    this.#opening = opening
    const obeyed = obey(desk, input).finally(() => {
      if (this.#opening === opening) this.#opening = null
    })
    opening.done = obeyed.then(
      () => !opening.gaveWay,
      () => false,
    )
    return obeyed
  }

  /** Rejects if the room, for which the line was meant, was not opened. */
  async #opened(): Promise<void> {
    const { view } = this.#deps
    while (this.#opening?.from === view())
      if (!(await this.#opening.done)) throw new Error('not sent, since the room before it was not opened')
  }

  #mayShow(opening: Opening): boolean {
    const { composer, view } = this.#deps
    opening.gaveWay = this.#opening !== opening || view() !== opening.from || !composer.isEmpty
    return !opening.gaveWay
  }
}

function inputOf(line: string, target: number | null): Input {
  if (target === null) return parseInput(line)
  return line.trim() ? { kind: 'command', name: 'edit', rest: `#${target} ${line}` } : { kind: 'empty' }
}

/** It is not about the room that is open. */
function isAnywhere(input: Input): boolean {
  return input.kind !== 'text' && (input.kind !== 'command' || commandNamed(input.name)?.isAnywhere === true)
}

function mayOpen(input: Input): boolean {
  return input.kind === 'command' && commandNamed(input.name)?.mayOpen === true
}
