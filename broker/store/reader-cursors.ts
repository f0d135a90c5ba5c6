/** The cursors of readers that follow logs (outbox.ts): small records by log, reader and incarnation of the log. */
import type { LogName } from './log-name.js'
import { del, type Op, put, type ReadLogOp } from './op.js'
import type { OutboxCursor } from './outbox.js'
import { keyOf, partsOf, type StoredRecord, type Tables } from './tables.js'

export function readerCursorOp(cursor: OutboxCursor): Op {
  return put('readerCursor', keyOfCursor(cursor), String(cursor.seq))
}

/** The stored cursors. */
export async function* readerCursors(tables: Tables): AsyncGenerator<OutboxCursor> {
  for await (const stored of tables.entries('readerCursor')) yield* cursorOf(stored)
}

/** The stored cursors in a log. */
export async function cursorsIn(tables: Tables, log: LogName): Promise<OutboxCursor[]> {
  return (await tables.list('readerCursor', { owner: log })).flatMap(cursorOf)
}

function cursorOf([key, value]: StoredRecord): OutboxCursor[] {
  const [log, reader, incarnation] = partsOf(key) as [string, string, string?]
  // An adapter may keep its marks in the same table, under no reader.
  if (reader === '') return []
  const seq = Number(value.toString())
  return [{ log, reader, seq, ...(incarnation ? { incarnation: Number(incarnation) } : {}) }]
}

/** Removes the cursors of a reader. */
export async function forgetReaderOps(tables: Tables, reader: string): Promise<Op[]> {
  const ops: Op[] = []
  for await (const cursor of readerCursors(tables))
    if (cursor.reader === reader) ops.push(del('readerCursor', keyOfCursor(cursor)))
  return ops
}

/**
 * All readers have processed the log up to `seq`: removes its mark and cursors, unless it has grown since or is another incarnation.
 * @param incarnation Undefined: the present one
 */
export function readLogOp(log: LogName, seq: number, incarnation?: number): ReadLogOp {
  return { type: 'readLog', log, seq, ...(incarnation ? { incarnation } : {}) }
}

/** The incarnation is part of the key: what a reader of a former log saves late replaces nothing. */
function keyOfCursor({ log, reader, incarnation }: OutboxCursor): string {
  return incarnation ? keyOf(log, reader, String(incarnation)) : keyOf(log, reader)
}
