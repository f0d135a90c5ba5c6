/** Prints output. Texts of users must not control the terminal of the reader. */
import { escapeWith, onOneLine } from '../../schemas/terminal-text.js'

export function printLine(text: string): void {
  console.log(onOneLine(text))
}

export function printError(text: string): void {
  console.error(onOneLine(text))
}

/** Prints JSON for programs. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2)
  // Newlines here are formatting: those in strings are escaped already.
  console.log(escapeWith(text, (character) => (character === '\n' ? character : escapedUnits(character))))
}

function escapedUnits(character: string): string {
  return character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
