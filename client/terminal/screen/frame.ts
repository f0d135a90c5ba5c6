/** What is to be written to the terminal so that it shows a picture, given the one that it shows. Pure. */
import type { Layout } from './layout.js'

export interface Row {
  /** Of a message and its part: a row keeps it while it moves. */
  readonly key: string
  /** With colours; as wide as the messages at most. */
  readonly text: string
}

export interface Picture {
  readonly layout: Layout
  /** As many as the region has, or fewer: they begin at the top. */
  readonly rows: readonly Row[]
  /** Beside them; as many as the region has. */
  readonly side: readonly string[]
  readonly status: string
  readonly input: string
  /** Column of the cursor in the input, from 1. */
  readonly cursor: number
}

const CSI = '\x1b['
/** Synchronized update, and no cursor meanwhile. */
const BEGIN = `${CSI}?2026h${CSI}?25l`
const END = `${CSI}?25h${CSI}?2026l`
const ERASE_TO_END = `${CSI}K`

/** Null: what it shows is not known. Empty: nothing has changed. */
export function frameOf(before: Picture | null, now: Picture): string {
  const { layout } = now
  const isSame = before !== null && JSON.stringify(before.layout) === JSON.stringify(layout)
  const old = isSame ? before : null
  const scrolled = old ? shiftOf(old.rows, now.rows, layout) : 0
  const parts = [
    old ? '' : `${CSI}r${CSI}H${CSI}J${CSI}1;${layout.region}r`,
    scrolled > 0 ? appended(now, scrolled) : '',
    changedRows(old?.rows ?? [], now, scrolled),
    sideRows(scrolled > 0 ? [] : (old?.side ?? []), now),
    line(layout.status, old?.status, now.status),
    line(layout.input, old?.input, now.input),
  ]
  const painted = parts.join('')
  const moved = before?.cursor !== now.cursor || painted !== ''
  return moved ? `${BEGIN}${painted}${at(layout.input, now.cursor)}${END}` : ''
}

function at(row: number, column = 1): string {
  return `${CSI}${row};${column}H`
}

function line(row: number, old: string | undefined, text: string): string {
  return old === text ? '' : at(row) + ERASE_TO_END + text
}

/** By how many rows the messages have moved up; 0: they have not, or cannot be followed. */
function shiftOf(old: readonly Row[], now: readonly Row[], { region }: Layout): number {
  if (old.length < region || now.length < region) return 0
  const shift = old.findIndex(({ key }) => key === now[0]?.key)
  return shift > 0 && old[shift + 1]?.key === now[1]?.key ? shift : 0
}

/** New rows are printed below, and the terminal scrolls; those that leave do so without the rooms beside them. */
function appended({ rows, layout }: Picture, count: number): string {
  const { region, side, text } = layout
  const leaving = side > 0 ? Array.from({ length: count }, (_, i) => at(i + 1, text + 1) + ERASE_TO_END).join('') : ''
  const printed = rows.slice(-count).map((row) => `\r\n${row.text}`)
  return leaving + at(region) + printed.join('')
}

/** Those that have changed in their place. What is beside them is drawn again: a terminal may think that an emoji is wider than it is here. */
function changedRows(old: readonly Row[], { rows, side, layout }: Picture, scrolled: number): string {
  const fresh = layout.region - scrolled
  let painted = ''
  for (let i = 0; i < layout.region; i++) {
    if (scrolled > 0 && i >= fresh) break
    const [was, is] = [old[i + scrolled]?.text ?? '', rows[i]?.text ?? '']
    if (was !== is) painted += `${at(i + 1)}${CSI}${layout.text}X${is}${beside(i, side, layout)}`
  }
  return painted
}

function sideRows(old: readonly string[], { side, layout }: Picture): string {
  if (layout.side === 0) return ''
  return side.map((text, i) => (old[i] === text ? '' : beside(i, side, layout))).join('')
}

function beside(row: number, side: readonly string[], { text }: Layout): string {
  const one = side[row]
  return one === undefined ? '' : at(row + 1, text + 1) + one
}

/** Leaves the terminal as it was: below the messages. */
export function farewellOf(picture: Picture): string {
  const { rows, layout } = picture
  const { side, text, region } = layout
  const beside = side > 0 ? Array.from({ length: region }, (_, i) => at(i + 1, text + 1) + ERASE_TO_END).join('') : ''
  return `${beside}${CSI}r${at(Math.min(rows.length, region) + 1)}${CSI}J`
}
