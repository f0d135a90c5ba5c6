/** The part of the line being typed that is shown, and where its cursor is. Pure. */
import { printableLine } from '../printable.js'
import { graphemes, widthOf } from './text.js'

/** In the line in place of a newline, which would end it. */
export const NEWLINE = '\ue00a'

export interface InputRow {
  readonly text: string
  /** From 1. */
  readonly column: number
}

/** `cursor`: in UTF-16 units. */
export function inputRow(line: string, cursor: number, prompt: string, width: number, newline: string): InputRow {
  const shown = (text: string): string => printableLine(text).replaceAll(NEWLINE, newline)
  const taken = widthOf(prompt)
  const room = Math.max(1, width - taken - 1)
  const before = [...graphemes(shown(line.slice(0, cursor)))]
  let used = before.reduce((sum, one) => sum + one.width, 0)
  // What does not fit leaves at the left.
  while (used > room) used -= before.shift()!.width
  let text = before.map((one) => one.text).join('')
  let size = used
  for (const one of graphemes(shown(line.slice(cursor)))) {
    size += one.width
    if (size > room) break
    text += one.text
  }
  return { text: prompt + text, column: taken + used + 1 }
}
