/** Matches many words and phrases in one pass over the text (a trie). */
import { fold, type Span } from '../../../util/text-folding.js'

interface Node {
  /** By UTF-16 code unit. */
  readonly next: Map<number, Node>
  ends: boolean
}

const SPACE = 32
const SPACES = /\s/
/** Characters of words, in scripts that separate words by spaces. */
const JOINING = /[\p{L}\p{N}\p{M}_]/u
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}]/u

export class Words {
  readonly #root: Node = { next: new Map(), ends: false }

  constructor(words: readonly string[]) {
    for (const word of words) this.#add(fold(word, true).text.trim().replace(/\s+/g, ' '))
  }

  #add(word: string): void {
    if (word === '') throw new Error('there is nothing in it to look for')
    let node = this.#root
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i)
      const next = node.next.get(unit) ?? { next: new Map(), ends: false }
      node.next.set(unit, next)
      node = next
    }
    node.ends = true
  }

  /** The matches in a folded text, in order, at most `limit`; the longest at each position. */
  find(text: string, limit: number): Span[] {
    const found: Span[] = []
    for (let start = 0; start < text.length && found.length < limit; ) {
      const end = this.#root.next.has(text.charCodeAt(start)) && !isInside(text, start) ? this.#match(text, start) : 0
      if (end > 0) found.push([start, end])
      start = Math.max(end, start + 1)
    }
    return found
  }

  /** End of the longest word that begins at `start`; 0: none. */
  #match(text: string, start: number): number {
    let end = 0
    let node: Node | undefined = this.#root
    for (let i = start; i < text.length; ) {
      const space = SPACES.test(text[i]!)
      node = node.next.get(space ? SPACE : text.charCodeAt(i))
      if (!node) break
      i++
      while (space && i < text.length && SPACES.test(text[i]!)) i++
      if (node.ends && !isInside(text, i)) end = i
    }
    return end
  }
}

/** Whether the index lies within a word. */
function isInside(text: string, index: number): boolean {
  return index > 0 && index < text.length && joins(charBefore(text, index)) && joins(charAt(text, index))
}

function joins(char: string): boolean {
  return JOINING.test(char) && !UNSPACED.test(char)
}

function charAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index)!)
}

function charBefore(text: string, index: number): string {
  const unit = text.charCodeAt(index - 1)
  const isLow = unit >= 0xdc00 && unit <= 0xdfff && index > 1
  return charAt(text, isLow ? index - 2 : index - 1)
}
