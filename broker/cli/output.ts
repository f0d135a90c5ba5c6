/** What commands print. Much of it was written by users, and must not steer the terminal of who reads it. */
import { escapeWith, onOneLine } from '../../schemas/terminal-text.js'

export function printLine(text: string): void {
  console.log(onOneLine(text))
}

export function printError(text: string): void {
  console.error(onOneLine(text))
}

/** The same value to who parses it. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2)
  // Line feeds are JSON's own here: those in strings are escaped already.
  console.log(escapeWith(text, (character) => (character === '\n' ? character : escapedUnits(character))))
}

function escapedUnits(character: string): string {
  return character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
