/** Makes what other people chose (names, topics) harmless to show on one line. */

/** Control characters, what steers the direction of text, line separators. */
const STEERING = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
/** Marks that are stacked on a letter, beyond those that any language needs. */
const STACKED = /(\p{M}{4})\p{M}+/gu
const MOST = 128

/** @param fallback Shown if nothing visible is left of it. @param most Characters */
export function plainLine(text: string, fallback = '', most = MOST): string {
  const plain = text.replace(STEERING, ' ').replace(STACKED, '$1').trim().slice(0, most)
  return /[^\s\p{Cf}]/u.test(plain) ? plain : fallback
}
