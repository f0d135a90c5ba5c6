/** Draws the picture when it has changed: several changes at once. */
import { farewellOf, frameOf, type Picture } from './frame.js'
import type { Terminal } from './terminal.js'

export interface PainterDeps {
  terminal(): Pick<Terminal, 'write'>
  /** As it is to be now. */
  picture(): Picture
}

/** Ms for which changes are drawn at once. */
const FRAME = 20

export class Painter {
  readonly #deps: PainterDeps
  /** What the terminal shows; null: that is not known. */
  #shown: Picture | null = null
  #frame: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(deps: PainterDeps) {
    this.#deps = deps
  }

  changed(): void {
    if (this.#isClosed) return
    this.#frame ??= setTimeout(() => {
      this.#frame = null
      this.#draw()
    }, FRAME)
  }

  /** Nothing of what the terminal shows is relied upon. */
  redraw(): void {
    this.#shown = null
    this.#draw()
  }

  /** What leaves the terminal as it was. */
  farewell(): string {
    return this.#shown ? farewellOf(this.#shown) : ''
  }

  close(): void {
    this.#isClosed = true
    if (this.#frame) clearTimeout(this.#frame)
  }

  #draw(): void {
    const picture = this.#deps.picture()
    this.#deps.terminal().write(frameOf(this.#shown, picture))
    this.#shown = picture
  }
}
