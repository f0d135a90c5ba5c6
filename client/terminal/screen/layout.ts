/** Where things are: messages, beside them the rooms, below them the status, and the input. Rows and columns count from 1. */

export interface Size {
  readonly columns: number
  readonly rows: number
}

export interface Layout extends Size {
  /** Rows of messages, which scroll. */
  readonly region: number
  /** Columns of messages. */
  readonly text: number
  /** Columns of the rooms, right of a line; 0: they are in the status line. */
  readonly side: number
  readonly status: number
  readonly input: number
}

const WIDE = 100
const SIDE = 24

export function layoutOf(size: Size): Layout {
  const columns = Math.max(size.columns, 10)
  const rows = Math.max(size.rows, 4)
  const side = columns >= WIDE ? SIDE : 0
  return {
    ...{ columns, rows, side },
    region: rows - 2,
    text: side > 0 ? columns - side - 1 : columns,
    status: rows - 1,
    input: rows,
  }
}
