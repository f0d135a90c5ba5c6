/** Normalises text for comparison, and maps positions in the result back to the original. */

export interface Folded {
  readonly text: string
  /**
   * For each index of `text` the index in the original, and at the end the original's length; null: positions are
   * equal.
   */
  readonly at: Uint32Array | null
}

/**
 * A character with its combining marks (U+FF9E and U+FF9F are those of half-width kana), or the letters of a Korean
 * syllable.
 */
const CLUSTER = /(?:[\u1100-\u115f][\u1160-\u11ff]*|\P{M})[\p{M}\uff9e\uff9f]*|\p{M}+/gsu
/**
 * Characters that are not displayed: soft hyphens, zero-width spaces and joiners; and strokes (tatweel) that only
 * lengthen a word.
 */
export const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u0640\u07fa]/gu
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ASCII = /^[\x00-\x7f]*$/

/** Normalises to NFKC and removes invisible characters; `lower`: also folds the case. */
export function fold(original: string, lower: boolean): Folded {
  if (ASCII.test(original)) return { text: lower ? original.toLowerCase() : original, at: null }
  const parts: string[] = []
  const at: number[] = []
  for (const { 0: cluster, index } of original.matchAll(CLUSTER)) {
    const seen = cluster.replace(INVISIBLE, '').normalize('NFKC')
    const part = lower ? seen.toUpperCase().toLowerCase() : seen
    parts.push(part)
    for (let i = 0; i < part.length; i++) at.push(index)
  }
  at.push(original.length)
  return { text: parts.join(''), at: Uint32Array.from(at) }
}

/** Maps a span back to the original text; an end within a character is moved behind it. */
export function unfold({ at }: Folded, [start, end]: Span): Span {
  if (!at) return [start, end]
  let after = end
  while (after < at.length - 1 && at[after] === at[end - 1]) after++
  return [at[start]!, at[after]!]
}

/** First index, and the index after the last. */
export type Span = readonly [number, number]
