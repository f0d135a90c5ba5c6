/** What texts of others must not hold where they are shown on a terminal, or written into a log that is read on one. */

/** Controls, what turns the direction of text, and what ends lines. */
const STEERS = '[\\p{Cc}\\p{Bidi_Control}\\u2028\\u2029]'
/** What is not seen, but for the joiners: they make emoji and letters of some scripts. */
const HIDES = '(?![\\u200c\\u200d])\\p{Cf}'

export const STEERING = new RegExp(STEERS, 'gu')
const STEERING_OR_HIDDEN = new RegExp(`${STEERS}|${HIDES}`, 'gu')

/** The text on one line, with all that steers or hides by number. */
export function onOneLine(text: string): string {
  return escapeWith(text, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** The text with `escaped` in place of each character that steers or hides. */
export function escapeWith(text: string, escaped: (character: string) => string): string {
  return text.replace(STEERING_OR_HIDDEN, escaped)
}
