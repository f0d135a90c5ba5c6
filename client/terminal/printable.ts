import { STEERING } from '../../schemas/terminal-text.js'

/** Text of others must not control the terminal: escape sequences and bidirectional overrides are replaced; further lines are indented. */
export function printable(text: string): string {
  return printableLines(text).join('\n      ')
}

/** The same, line by line. */
export function printableLines(text: string): string[] {
  return text
    .split(/\r?\n|[\u2028\u2029]/)
    .map((line) => line.replace(STEERING, (character) => (character === '\t' ? character : '\u{fffd}')))
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printableLines(text).join(' ')
}

/** On one line, of `most` characters. */
export function excerpt(text: string, most = 30): string {
  const characters = [...printableLine(text)]
  return characters.length > most ? `${characters.slice(0, most).join('')}…` : characters.join('')
}
