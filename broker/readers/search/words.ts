/**
 * What a text is cut into before it is indexed, and a query before it is asked: the same for both, or nothing would be found. Case,
 * width and accents are folded, and what nobody sees divides nothing. Scripts that are written without spaces (or, like Korean, with endings) are cut into pairs of
 * characters, so that a word is found wherever it stands.
 */
import { INVISIBLE } from '../../util/text-folding.js'

/** Counts what this file does: an index that was made by another number is made anew. */
export const WORDS_VERSION = 2
/** Characters of a word that count; of longer ones (keys, blobs) the beginning is found. */
const MAX_WORD = 64

const WORD = /[\p{L}\p{N}\p{M}]+|\p{Extended_Pictographic}/gu
const SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo', 'Thai', 'Lao', 'Khmer', 'Myanmar']
const UNSPACED = SCRIPTS.map((script) => `\\p{Script_Extensions=${script}}`).join('')
const RUN = new RegExp(`[${UNSPACED}]+|[^${UNSPACED}]+`, 'gu')
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u')
/** Accents, and the vowel points of Hebrew and Arabic. Vowels of other scripts are marks too, and stay. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]/gu
const ASCII = /^[\0-\x7f]*$/

/** Of what is written alike, one way of writing it. */
function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  // Upper case first: ß and SS are one, ı and i.
  const lower = text.replace(INVISIBLE, '').normalize('NFKC').toUpperCase().toLowerCase()
  // Letters of their own that stand for one that is drawn out leave the stroke behind.
  return lower.normalize('NFKD').replace(ACCENTS, '').replace(INVISIBLE, '').normalize('NFC').replaceAll('ς', 'σ')
}

/** A stretch of one kind of script within a word. */
export interface Run {
  readonly text: string
  readonly unspaced: boolean
}

export function runsOf(text: string): Run[] {
  const words = fold(text).match(WORD) ?? []
  return words.flatMap((word) => (word.match(RUN) ?? []).map((run) => ({ text: run, unspaced: IS_UNSPACED.test(run) })))
}

/** Pairs of neighbours. */
export function pairsOf(run: string): string[] {
  const characters = [...run]
  return characters.slice(1).map((character, i) => characters[i]! + character)
}

/** What a run is indexed under. The last character stands alone too, so that every character begins something. */
export function wordsOf({ text, unspaced }: Run): string[] {
  return unspaced ? [...pairsOf(text), [...text].at(-1)!] : [text.slice(0, MAX_WORD)]
}

/** A text as it is indexed: words with a space in between. */
export function indexed(text: string): string {
  return runsOf(text).flatMap(wordsOf).join(' ')
}
