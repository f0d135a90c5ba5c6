/** What is being written that can be completed. */
export interface Token {
  readonly kind: 'command' | 'person' | 'emoji'
  /** What is written of it. */
  readonly query: string
  /** Where it begins in the text, with its sign, and where it ends. */
  readonly from: number
  readonly to: number
}

/** Before the caret: each ends with what is written of it. A command begins its message. */
const PATTERNS = {
  command: /^\/([a-z0-9_-]{0,32})$/,
  person: /(?:^|[\s([])@([\p{L}\p{N}._-]{0,40})$/u,
  emoji: /(?:^|[\s([]):([a-z0-9_+]{2,32})$/i,
} as const

/** Null: nothing is. */
export function tokenAt(text: string, caret: number): Token | null {
  const before = text.slice(0, caret)
  for (const [kind, pattern] of Object.entries(PATTERNS)) {
    const query = pattern.exec(before)?.[1]
    if (query !== undefined) return { kind: kind as Token['kind'], query, from: caret - query.length - 1, to: caret }
  }
  return null
}

/** Whether it is the same place of the text. */
export function isSame(a: Token | null, b: Token | null): boolean {
  return a?.kind === b?.kind && a?.from === b?.from
}
