/**
 * Splits texts into words, such that equivalent spellings come to the same: case, width and accents are folded; invisible characters are
 * removed.
 */
import { INVISIBLE } from './text-folding.js'

const WORD = /[\p{L}\p{N}\p{M}]+|\p{Extended_Pictographic}/gu
const SCRIPTS = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Bopomofo', 'Thai', 'Lao', 'Khmer', 'Myanmar']
const UNSPACED = SCRIPTS.map((script) => `\\p{Script_Extensions=${script}}`).join('')
const RUN = new RegExp(`[${UNSPACED}]+|[^${UNSPACED}]+`, 'gu')
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u')
/**
 * Accents, and the vowel points of Hebrew and Arabic. Vowel signs of other scripts are marks too, but carry meaning and
 * stay.
 */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]/gu
const ASCII = /^[\0-\x7f]*$/

/** Maps equivalent spellings to one. */
function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  // Upper case first: it unifies ß and SS, and ı and i.
  const lower = text.replace(INVISIBLE, '').normalize('NFKC').toUpperCase().toLowerCase()
  // NFKD turns presentation forms of a lengthened letter into the letter and a tatweel, which is removed again.
  return lower.normalize('NFKD').replace(ACCENTS, '').replace(INVISIBLE, '').normalize('NFC').replaceAll('ς', 'σ')
}

/** A part of a word in one kind of script. */
export interface Run {
  readonly text: string
  readonly unspaced: boolean
}

export function runsOf(text: string): Run[] {
  const words = fold(text).match(WORD) ?? []
  return words.flatMap((word) => (word.match(RUN) ?? []).map((run) => ({ text: run, unspaced: IS_UNSPACED.test(run) })))
}
