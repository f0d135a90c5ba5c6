/**
 * Finds words and phrases in texts, by the words that search goes by (word-runs.ts): whole words in any spelling; in scripts without spaces, wherever
 * they stand.
 */
import { type Run, runsOf } from './word-runs.js'

export class Keywords {
  readonly #patterns: readonly string[]

  constructor(keywords: readonly string[]) {
    this.#patterns = keywords.map((keyword) => patternOf(runsOf(keyword))).filter((pattern) => pattern !== '')
  }

  /** Whether the text has one of them. Costs a pass over the text for each, and one to fold it. */
  isIn(text: string): boolean {
    if (this.#patterns.length === 0) return false
    const words = ` ${runsOf(text).map(textOf).join(' ')} `
    return this.#patterns.some((pattern) => words.includes(pattern))
  }
}

/** Whether there is anything in it to look for. */
export function isKeyword(text: string): boolean {
  return runsOf(text).length > 0
}

/** Between spaces, except where it begins or ends in a script without spaces. */
function patternOf(runs: readonly Run[]): string {
  if (runs.length === 0) return ''
  const [before, after] = [runs[0]!, runs.at(-1)!].map(({ unspaced }) => (unspaced ? '' : ' '))
  return `${before}${runs.map(textOf).join(' ')}${after}`
}

function textOf({ text }: Run): string {
  return text
}
