/** By which words a name is found: each word of a query has to begin one. */
import { runsOf } from './word-runs.js'

/** Of one name. */
const MAX_WORDS = 32
/** Characters of a word. */
const MAX_WORD = 64

/** Where scripts have no spaces, a word may begin at any character. */
export function nameWords(name: string): string[] {
  const words = runsOf(name).flatMap(({ text, unspaced }) => (unspaced ? endingsOf(text) : [text]))
  return [...new Set(words.map(cut))].slice(0, MAX_WORDS)
}

export function queryWords(query: string): string[] {
  return [...new Set(runsOf(query).map(({ text }) => cut(text)))].slice(0, MAX_WORDS)
}

/** Whether each word of the query begins one of the name. */
export function isNamed(query: readonly string[], ...names: readonly string[]): boolean {
  const words = names.flatMap(nameWords)
  return query.length > 0 && query.every((wanted) => words.some((word) => word.startsWith(wanted)))
}

function endingsOf(run: string): string[] {
  const characters = [...run]
  return characters.map((_, i) => characters.slice(i).join(''))
}

function cut(word: string): string {
  return word.slice(0, MAX_WORD)
}
