/** What a person types. */

export type Input =
  | { readonly kind: 'empty' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'direct'; readonly user: string; readonly text: string }
  /** `name` without the slash. */
  | { readonly kind: 'command'; readonly name: string; readonly rest: string }

export function parseInput(line: string): Input {
  if (line.trim() === '') return { kind: 'empty' }
  const direct = /^@(\S+)\s+(.+)$/s.exec(line)
  if (direct) return { kind: 'direct', user: direct[1]!, text: direct[2]! }
  if (line.startsWith('//')) return { kind: 'text', text: line.slice(1) }
  const command = /^\/(\S+)\s*(.*)$/s.exec(line)
  return command ? { kind: 'command', name: command[1]!, rest: command[2]!.trim() } : { kind: 'text', text: line }
}

/** `#12 text`: a message, and what follows. Without a number `seq` is null. */
export function parseTarget(rest: string): { readonly seq: number | null; readonly text: string } {
  const [, number, text] = /^#(\d{1,15})(?:\s+(.*))?$/s.exec(rest) ?? []
  return number === undefined ? { seq: null, text: rest } : { seq: Number(number), text: text ?? '' }
}

/** Those that the text mentions, as messages carry them. */
export function mentionsIn(text: string): string[] {
  const found = [...text.matchAll(/(?<![\p{L}\p{N}._@|~/-])@([A-Za-z0-9][A-Za-z0-9._@|~-]{0,127})/gu)]
  // The end of a sentence is no part of a name.
  return [...new Set(found.map(([, name]) => `@${name!.replace(/[.~|-]+$/, '')}`))].slice(0, 100)
}
