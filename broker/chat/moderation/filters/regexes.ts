/** Looks for regular expressions (RE2: time grows with the text alone, whatever the pattern). */
import { RE2JS, RE2Set } from 're2js'
import type { Span } from '../../../util/text-folding.js'

export class Regexes {
  readonly #each: readonly RE2JS[]
  /** Says in one pass which of them are there at all. */
  readonly #any = new RE2Set()

  /** Throws where one is none. */
  constructor(patterns: readonly string[]) {
    this.#each = patterns.map(compiled)
    for (const pattern of patterns) this.#any.add(pattern)
    this.#any.compile()
  }

  /** Where they are in a text, each in order, at most `limit` in all. */
  find(text: string, limit: number): Span[] {
    const found: Span[] = []
    for (const index of this.#any.match(text)) {
      const matcher = this.#each[index]!.matcher(text)
      while (found.length < limit && matcher.find()) found.push([matcher.start(), matcher.end()])
    }
    return found
  }
}

function compiled(pattern: string): RE2JS {
  const regex = RE2JS.compile(pattern)
  if (regex.test('')) throw new Error('it is found in every text')
  return regex
}
