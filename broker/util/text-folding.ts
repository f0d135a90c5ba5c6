/** Text in the form in which it is compared, and where each part of it was. */

export interface Folded {
  readonly text: string
  /** Index in the original text by index in this one, and its length at the end; null: the same. */
  readonly at: Uint32Array | null
}

/** A character with its marks (U+FF9E and U+FF9F are those of half-width kana), or the letters of a Korean syllable. */
const CLUSTER = /(?:[\u1100-\u115f][\u1160-\u11ff]*|\P{M})[\p{M}\uff9e\uff9f]*|\p{M}+/gsu
/** What nobody sees in a text: soft hyphens, zero-width spaces and joiners; and the strokes that only draw a word out. */
export const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\u0640\u07fa]/gu
// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const ASCII = /^[\x00-\x7f]*$/

/** NFKC without what cannot be seen; `lower`: whatever the case, too. */
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

/** The same place in the original text; what ends within a character ends behind it. */
export function unfold({ at }: Folded, [start, end]: Span): Span {
  if (!at) return [start, end]
  let after = end
  while (after < at.length - 1 && at[after] === at[end - 1]) after++
  return [at[start]!, at[after]!]
}

/** First index, and index behind the last. */
export type Span = readonly [number, number]
