/** Says how far a transfer has come, at each quarter: for a chat of lines, where nothing is drawn over. */
import { percentText } from './lines.js'

export class Quarters {
  readonly #say: (text: string) => void
  #last = 0

  constructor(say: (text: string) => void) {
    this.#say = say
  }

  at(what: string, done: number, total: number): void {
    const quarter = total > 0 ? Math.floor((4 * done) / total) : 0
    if (quarter > this.#last && quarter < 4) this.#say(`${what}, ${percentText(done, total)}`)
    this.#last = quarter
  }
}
