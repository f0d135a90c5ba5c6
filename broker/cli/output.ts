/** What commands print. Much of it was written by users, and must not steer the terminal of who reads it. */

/** Controls, what turns the direction of text, what ends lines, and what is not seen; joiners make emoji and letters of some scripts. */
const STEERING = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]|(?![\u200c\u200d])\p{Cf}/gu

/** One line, whatever is in it. */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

export function printLine(text: string): void {
  console.log(printable(text))
}

export function printError(text: string): void {
  console.error(printable(text))
}

/** The same value to who parses it. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2)
  // Line feeds are JSON's own here: those in strings are escaped already.
  console.log(text.replace(STEERING, (character) => (character === '\n' ? character : escapedUnits(character))))
}

function escapedUnits(character: string): string {
  return [...character.split('')].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
}
