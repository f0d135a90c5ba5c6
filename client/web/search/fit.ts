/** How well a name fits what was typed of it. */

/** Letters from which on one of them may be wrong. */
const TYPO_FROM = 4

/** 0: it does not fit. Both are folded. */
export function fit(name: string, wanted: string): number {
  if (name.startsWith(wanted)) return 5
  const words = name.split(/[^\p{L}\p{N}]+/u)
  if (words.some((word) => word.startsWith(wanted))) return 4
  // In scripts without spaces a word may begin anywhere.
  if (name.includes(wanted)) return 3
  if (isAbbreviation(words, wanted)) return 2
  if (wanted.length < TYPO_FROM) return 0
  return [name, ...words].some((word) => isNearBeginning(word, wanted)) ? 1 : 0
}

/** The first letters of words: `gt` of green tea. */
function isAbbreviation(words: readonly string[], wanted: string): boolean {
  return words
    .map((word) => word[0] ?? '')
    .join('')
    .startsWith(wanted)
}

/** One letter is wrong, too many, missing, or has changed places with the next one. */
function isNearBeginning(word: string, wanted: string): boolean {
  let at = 0
  while (at < wanted.length && wanted[at] === word[at]) at++
  const swapped = `${wanted.slice(0, at)}${wanted[at + 1] ?? ''}${wanted[at]}${wanted.slice(at + 2)}`
  const others = [
    [wanted.slice(at + 1), word.slice(at + 1)],
    [wanted.slice(at + 1), word.slice(at)],
    [wanted.slice(at), word.slice(at + 1)],
    [swapped, word],
  ] as const
  // The first letter is right, or it is another word.
  return at > 0 && others.some(([rest, of]) => of.startsWith(rest))
}
