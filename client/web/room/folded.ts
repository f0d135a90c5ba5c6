/** The beginning of a text that is long. */
import type { Token } from './tokens.js'

/** Beyond one of these a text is long. */
const MOST = { lines: 40, length: 4000 }
/** What is shown of it. */
const SHOWN = { lines: 30, length: 3000 }

export function isLong(text: string): boolean {
  return text.length > MOST.length || text.split('\n', MOST.lines + 1).length > MOST.lines
}

/** What is not cut stays the same. */
export function beginningOf(tokens: readonly Token[]): Token[] {
  let { lines, length } = SHOWN
  const shown: Token[] = []
  for (const token of tokens) {
    const text = cut(token.text, lines, length)
    // Half of an address, or of a name, is another one.
    if (text === token.text) shown.push(token)
    else {
      if (token.kind === 'text') shown.push({ kind: 'text', text })
      if (token.kind === 'block') shown.push({ ...token, code: cut(token.code, lines, length) })
      break
    }
    lines -= text.split('\n').length - 1
    length -= text.length
  }
  return shown
}

function cut(text: string, lines: number, length: number): string {
  const first = text.split('\n', lines).join('\n').slice(0, length)
  // Nor half of a character.
  return first.replace(/[\ud800-\udbff]$/, '')
}
