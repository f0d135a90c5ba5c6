/** Text in cells of a terminal. Widths are those of East Asian Width; what is ambiguous is narrow. */
import stringWidth from 'string-width'

const SEGMENTER = /* @__PURE__ */ new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** UTF-16 units of a character with its marks, at most; the longest emoji have some 30. */
const MOST_UNITS = 40
const TAB = '    '

/** Characters as a reader sees them, each with its width: what has more marks than any script needs becomes U+FFFD. */
export function* graphemes(text: string): Generator<{ readonly text: string; readonly width: number }> {
  for (const { segment } of SEGMENTER.segment(text)) {
    const one = segment === '\t' ? TAB : segment.length > MOST_UNITS ? '\u{fffd}' : segment
    yield { text: one, width: stringWidth(one) }
  }
}

export function widthOf(text: string): number {
  let width = 0
  for (const one of graphemes(text)) width += one.width
  return width
}

/** What fits into `width` cells; `more` ends what was cut. */
export function cut(text: string, width: number, more = ''): string {
  const last = width - more.length
  let used = 0
  let fits = ''
  let whole = ''
  for (const one of graphemes(text)) {
    used += one.width
    if (used <= last) fits += one.text
    if (used > width) return fits + more
    whole += one.text
  }
  return whole
}

/** With spaces at its end, or cut. */
export function padded(text: string, width: number, more = ''): string {
  const fits = cut(text, width, more)
  return fits + ' '.repeat(Math.max(0, width - widthOf(fits)))
}

/** Words, and the spaces between them. */
const WORDS = /\s+|\S+/gu

/** Lines of `width` cells at most, broken at spaces where there are some. `first`: cells of the first line that are taken. `words`: what is not broken if it fits into a line, and what stands between. */
export function wrap(text: string, width: number, first = 0, words = WORDS): string[] {
  const lines: string[] = []
  let line = ''
  let used = Math.min(first, width - 1)
  for (const word of text.match(words) ?? []) {
    const size = widthOf(word)
    if (used + size > width && /\S/.test(word) && line !== '' && size <= width) {
      lines.push(line.trimEnd())
      line = ''
      used = 0
    }
    for (const one of graphemes(word)) {
      if (used + one.width > width) {
        lines.push(line)
        line = ''
        used = 0
      }
      // A break takes the place of the space.
      if (used === 0 && lines.length > 0 && /^\s+$/.test(one.text)) continue
      line += one.text
      used += one.width
    }
  }
  return [...lines, line]
}
