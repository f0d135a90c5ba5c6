/**
 * Where a list stands: at its end, where it follows what comes, or at a row, which keeps its place on the screen whatever becomes of what is
 * above it. It moves when the reader moves it, and by nothing else; the browser's own anchoring is off (`overflow-anchor`), as it does not
 * know of rows that are replaced.
 */

/** Pixels from the end within which a list is at its end. */
const AT_END = 40
/** Rows that are remembered: the first of them that is still there after a change is the one that stays. */
const ANCHORS = 8

interface Anchor {
  readonly key: string
  /** Pixels from the top of the list to that of the row. */
  readonly top: number
}

export interface Place {
  readonly seq: number
  /** Pixels from the top of the list to that of the row. */
  readonly top: number
}

export class Scroller {
  readonly #list: HTMLElement
  readonly #moved: (scroller: Scroller) => void
  readonly #mayFollow: () => boolean
  readonly #observer: ResizeObserver
  #anchors: Anchor[] = []
  #isAtEnd = true
  /** As noted last: the place, and the sizes. */
  #top = 0
  #sizes = ''
  /** The list is another one than when that was noted. */
  #isChanged = false

  /** Rows that keep their place among the others have `data-row`: a day does not, as it goes up with what is loaded above. @param moved Called when the reader, or what is shown, has moved @param mayFollow Tells whether rows that come below are new: at the end of what is loaded they are not */
  constructor(list: HTMLElement, moved: (scroller: Scroller) => void, mayFollow: () => boolean) {
    this.#list = list
    this.#moved = moved
    this.#mayFollow = mayFollow
    this.#observer = new ResizeObserver(() => this.#hasOtherSize && this.restore())
    this.#observer.observe(list)
    for (const child of list.children) this.#observer.observe(child)
    list.addEventListener('scroll', this.#scrolled, { passive: true })
    list.addEventListener('unfold', this.#stay)
  }

  /** It follows what comes. */
  get isAtEnd(): boolean {
    return this.#isAtEnd
  }

  /** Pixels that can be scrolled up, and down, and of what is shown. */
  get space(): { readonly above: number; readonly below: number; readonly height: number } {
    const { scrollTop, scrollHeight, clientHeight } = this.#list
    return { above: scrollTop, below: scrollHeight - clientHeight - scrollTop, height: clientHeight }
  }

  /** The first row of messages that are not loaded (`data-gap`) less than a screen away; null: there is none. */
  gapNear(): { readonly key: string; readonly isAbove: boolean } | null {
    const { clientHeight } = this.#list
    for (const row of this.#list.querySelectorAll<HTMLElement>('[data-gap]')) {
      const top = this.#topOf(row)
      const bottom = top + row.offsetHeight
      if (bottom > -clientHeight && top < 2 * clientHeight) return { key: row.dataset['row']!, isAbove: bottom <= 0 }
    }
    return null
  }

  /** The list has changed, and `restore` follows with the next frame: until then it is not known where it stands. */
  change(): void {
    this.#isChanged = true
  }

  /** After the list has changed: to where it stood. */
  restore(): void {
    this.#isChanged = false
    this.#follow()
    if (this.#isAtEnd) this.#list.scrollTop = this.#list.scrollHeight
    else {
      const anchor = this.#anchors.find(({ key }) => this.#row(key))
      if (anchor) this.#list.scrollTop += this.#topOf(this.#row(anchor.key)!) - anchor.top
    }
    this.#note()
  }

  /** Where the reader is: the first message that is shown, and its distance from the top; null: at the end, or nowhere. */
  get place(): Place | null {
    if (this.#isAtEnd) return null
    for (const { key, top } of this.#anchors) {
      const seq = Number(this.#row(key)?.dataset['seq'])
      if (seq > 0) return { seq, top }
    }
    return null
  }

  /** The reader may have moved it since that was noted: the browser tells so with the next frame. */
  #follow(): void {
    const moved = this.#list.scrollTop - this.#top
    // The browser has moved it, as it has become shorter, and ends there now.
    if (moved === 0 || (moved < 0 && this.space.below <= 1)) return
    if (moved < -AT_END) this.#isAtEnd = false
    this.#anchors = this.#anchors.map(({ key, top }) => ({ key, top: top - moved }))
  }

  toEnd(): void {
    this.#top = this.#list.scrollTop
    this.#isAtEnd = true
    this.restore()
  }

  /** The row comes to this part of the height of the list, 0 to 1. Returns false if it is not there. */
  toRow(key: string, part: number): boolean {
    const row = this.#row(key)
    return row !== null && this.toTop(key, (this.#list.clientHeight - row.offsetHeight) * part)
  }

  /** The row comes to this distance from the top of the list. Returns false if it is not there. */
  toTop(key: string, top: number): boolean {
    const row = this.#row(key)
    if (!row) return false
    this.#list.scrollTop += this.#topOf(row) - top
    this.#note()
    return true
  }

  /** Shows which row was asked for, for a moment: styles say how, and for how long. */
  mark(key: string): void {
    const row = this.#row(key)
    if (!row) return
    row.dataset['asked'] = ''
    row.addEventListener('animationend', () => delete row.dataset['asked'], { once: true })
  }

  /** The last row that is on the screen as a whole. */
  lastShown(): HTMLElement | null {
    const bottom = this.#list.getBoundingClientRect().bottom + 1
    const rows = this.#rows()
    return rows[firstOf(rows, (row) => row.getBoundingClientRect().bottom > bottom) - 1] ?? null
  }

  dispose(): void {
    this.#observer.disconnect()
    this.#list.removeEventListener('scroll', this.#scrolled)
    this.#list.removeEventListener('unfold', this.#stay)
  }

  readonly #scrolled = (): void => {
    // What has another size is placed as a whole: the observer comes after this, and would find only what is noted here.
    if (this.#isChanged || this.#hasOtherSize) this.restore()
    // It was moved here, and that is known.
    else if (this.#list.scrollTop !== this.#top) this.#note()
  }

  #note(): void {
    this.#top = this.#list.scrollTop
    this.#sizes = sizesOf(this.#list)
    this.#isAtEnd = this.space.below <= AT_END && this.#mayFollow()
    const rows = this.#rows()
    const { top } = this.#list.getBoundingClientRect()
    const first = firstOf(rows, (row) => row.getBoundingClientRect().bottom > top)
    this.#anchors = []
    for (let at = first; at < Math.min(rows.length, first + ANCHORS); at++)
      this.#anchors.push({ key: rows[at]!.dataset['row']!, top: this.#topOf(rows[at]!) })
    this.#moved(this)
  }

  /** Before what is shown becomes longer by the reader's wish: it is not followed. */
  readonly #stay = (): void => {
    this.#isAtEnd = false
  }

  /** From the first to the last. */
  #rows(): NodeListOf<HTMLElement> {
    return this.#list.querySelectorAll<HTMLElement>('[data-row]')
  }

  /** Other ones than when they were noted: what a frame has placed already is not placed once more. */
  get #hasOtherSize(): boolean {
    return this.#sizes !== sizesOf(this.#list)
  }

  #row(key: string): HTMLElement | null {
    return this.#list.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)
  }

  #topOf(row: HTMLElement): number {
    return row.getBoundingClientRect().top - this.#list.getBoundingClientRect().top
  }
}

/** The place of the first row for which `holds`, as it does for all below it; their number: it holds for none. A long list has hundreds of them. */
function firstOf(rows: ArrayLike<HTMLElement>, holds: (row: HTMLElement) => boolean): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(rows[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

function sizesOf({ scrollHeight, clientHeight, clientWidth }: HTMLElement): string {
  return [scrollHeight, clientHeight, clientWidth].join()
}
