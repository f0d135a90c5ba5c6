/** Escapes untrusted text for terminals and logs. */

/** Control characters, bidirectional controls and line separators. */
const STEERS = '[\\p{Cc}\\p{Bidi_Control}\\u2028\\u2029]'
/** Invisible characters, except joiners, which are part of emoji and some scripts. */
const HIDES = '(?![\\u200c\\u200d])\\p{Cf}'

export const STEERING = new RegExp(STEERS, 'gu')
const STEERING_OR_HIDDEN = new RegExp(`${STEERS}|${HIDES}`, 'gu')

/** The text on one line, with such characters replaced by their code points. */
export function onOneLine(text: string): string {
  return escapeWith(text, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** The text with `escaped` applied to each such character. */
export function escapeWith(text: string, escaped: (character: string) => string): string {
  return text.replace(STEERING_OR_HIDDEN, escaped)
}
