/** Matches regular expressions with RE2, whose time is linear in the length of the text for every pattern. */
import { RE2JS, RE2Set } from 're2js'
import type { Span } from '../../../util/text-folding.js'

export class Regexes {
  readonly #each: readonly RE2JS[]
  /** Finds in one pass which of the patterns match at all. */
  readonly #any = new RE2Set()

  /** @throws Error for an invalid pattern, or one that matches the empty text. */
  constructor(patterns: readonly string[]) {
    this.#each = patterns.map(compiled)
    for (const pattern of patterns) this.#any.add(pattern)
    this.#any.compile()
  }

  /** The matches in a text, pattern by pattern, at most `limit` in all. */
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
