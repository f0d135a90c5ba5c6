/**
 * Splits texts into the terms of the index, and queries likewise, so that they match. Scripts written without spaces
 * (or, like Korean, with suffixes) are split into pairs of characters, so that a word is found wherever it stands.
 */
import { type Run, runsOf } from '../../util/word-runs.js'

/** Version of the output of this file and of word-runs.ts: an index built with another one is rebuilt. */
export const WORDS_VERSION = 2
/** Longest word in characters; of a longer one (keys, blobs) only the beginning is indexed. */
const MAX_WORD = 64

/** Pairs of adjacent characters. */
export function pairsOf(run: string): string[] {
  const characters = [...run]
  return characters.slice(1).map((character, i) => characters[i]! + character)
}

/** The index terms of a run. The last character is a term of its own too, so that every character begins a term. */
export function wordsOf({ text, unspaced }: Run): string[] {
  return unspaced ? [...pairsOf(text), [...text].at(-1)!] : [text.slice(0, MAX_WORD)]
}

/** The text as it is indexed: terms separated by spaces. */
export function indexed(text: string): string {
  return runsOf(text).flatMap(wordsOf).join(' ')
}
