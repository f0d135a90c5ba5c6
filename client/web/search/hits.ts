/** Where the words of a search stand in a text: as the broker compares them, without case, accents and invisible characters. */

export interface Piece {
  /** Where it begins in the text. */
  readonly at: number
  readonly text: string
  readonly isHit: boolean
}

/** Characters of an excerpt, about. */
const EXCERPT = 220
/** Of those before the first hit. */
const BEFORE = 60
/** Characters in which hits are looked for: what stands later is found by opening the message. */
const LONGEST = 10_000
/** Words and phrases that the broker takes. */
const MOST_TERMS = 16

const TERM = /"([^"]*)"?|[^\s"]+/gu
const WORD = /[\p{L}\p{N}\p{M}\p{Cf}]+/gu
/** Scripts in which nothing stands between words. */
const UNSPACED =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

/** The text in pieces, with its hits; put together they are the text again. */
export function piecesOf(text: string, query: string): Piece[] {
  const pattern = patternOf(query)
  const pieces: Piece[] = []
  let end = 0
  const take = (to: number, isHit: boolean): void => {
    if (to > end) pieces.push({ at: end, text: text.slice(end, to), isHit })
    end = Math.max(end, to)
  }
  if (pattern) {
    const { folded, starts } = foldedWithPlaces(text)
    for (const { 0: found, index } of folded.matchAll(pattern)) {
      take(starts[index]!, false)
      take(starts[index + found.length]!, true)
    }
  }
  take(text.length, false)
  return pieces
}

/** What is around the first hit, as text of one paragraph. */
export function excerptOf(text: string, query: string): Piece[] {
  const plain = text.slice(0, wholeFrom(text, LONGEST)).replace(/\s+/gu, ' ').trim()
  const first = piecesOf(plain, query).find(({ isHit }) => isHit)?.at ?? 0
  const from = plain.length > EXCERPT && first > BEFORE ? wholeFrom(plain, first - BEFORE) : 0
  const cut = plain.slice(from, wholeFrom(plain, from + EXCERPT))
  return piecesOf(`${from > 0 ? '…' : ''}${cut}${from + cut.length < plain.length ? '…' : ''}`, query)
}

/** Not in the middle of a character. */
function wholeFrom(text: string, at: number): number {
  return /[\udc00-\udfff]/.test(text[at] ?? '') ? at + 1 : at
}

/** Without case, accents, width and invisible characters. */
export function fold(text: string): string {
  if (/^[ -~]*$/.test(text)) return text.toLowerCase()
  return text
    .normalize('NFKD')
    .replace(/[\p{M}\p{Cf}\u0640]/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
}

function foldedWithPlaces(text: string): { folded: string; starts: number[] } {
  let folded = ''
  const starts: number[] = []
  let at = 0
  for (const character of text) {
    const one = fold(character)
    for (let unit = 0; unit < one.length; unit++) starts.push(at)
    folded += one
    at += character.length
  }
  return { folded, starts: [...starts, text.length] }
}

/** Null: there is no word in it. */
function patternOf(query: string): RegExp | null {
  const terms = [...query.matchAll(TERM)].slice(0, MOST_TERMS).flatMap(({ 0: term, 1: phrase }) => {
    const words = [...(phrase ?? term).matchAll(WORD)].map(([word]) => fold(word)).filter((word) => word !== '')
    return words.length > 0 ? [termPattern(words, phrase === undefined && term.endsWith('*'))] : []
  })
  return terms.length > 0 ? new RegExp(terms.join('|'), 'gu') : null
}

/** Words have letters and digits alone: nothing of them has a meaning in a pattern. */
function termPattern(words: readonly string[], isBeginning: boolean): string {
  const [first = '', last = ''] = [words[0], words.at(-1)]
  const before = UNSPACED.test(first) ? '' : '(?<![\\p{L}\\p{N}])'
  const after = isBeginning || UNSPACED.test(last) ? '' : '(?![\\p{L}\\p{N}])'
  return `${before}${words.join('[^\\p{L}\\p{N}]+')}${after}`
}
