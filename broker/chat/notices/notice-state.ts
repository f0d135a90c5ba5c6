/** The state of each notification of a user: a note beside the log, written with the notification. */

import type { LogName } from '../../store/log-name.js'
import type { Note, NoteReader, NoteWrite } from '../../store/notes.js'
import { effectOp, type Op } from '../../store/op.js'

export interface NoticeState {
  readonly id: string
  readonly from: string
  /** Unix ms, as are the following; 0: never, or not yet. */
  readonly ts: number
  readonly until: number
  readonly delivered: number
  readonly acked: number
  readonly replaced: number
  /** Collapse key. */
  readonly key?: string
}

export interface Notice extends NoticeState {
  readonly seq: number
}

/** Notes per read. */
const PAGE = 100

export function newNotice(state: Pick<NoticeState, 'id' | 'from' | 'ts' | 'until' | 'key'>): NoteWrite {
  const { id, from, ts, until, key } = state
  const value = { id, from, ts, until, delivered: 0, acked: 0, replaced: 0, ...(key === undefined ? {} : { key }) }
  return { kind: 'notice', target: null, name: '', value: JSON.stringify(value) }
}

/** Whether the notification is neither replaced nor expired. */
export function isActive({ until, replaced }: NoticeState, now = Date.now()): boolean {
  return replaced === 0 && (until === 0 || until > now)
}

/** Notifications with a seq below `before`, newest first. */
export async function* noticesBefore(notes: NoteReader, log: LogName, before: number): AsyncGenerator<Notice> {
  for (let last = before - 1; last > 0; ) {
    const page = await notes.list(log, { kind: 'notice', targets: [1, last], limit: PAGE, reverse: true })
    for (const { target, value } of page) yield { seq: target, ...(JSON.parse(value) as NoticeState) }
    if (page.length < PAGE) return
    last = page[page.length - 1]!.target - 1
  }
}

/** The notifications with these seqs, as far as they exist. */
export async function noticesAt(notes: NoteReader, log: LogName, seqs: readonly number[]): Promise<Notice[]> {
  const values = await notes.getMany(log, 'notice', seqs)
  return seqs.flatMap((seq, i) => (values[i] == null ? [] : { seq, ...(JSON.parse(values[i]) as NoticeState) }))
}

export function noticeOp(log: LogName, notice: Notice): Op {
  return effectOp(log, { notes: [noteOf(notice)] })
}

export function noteOf({ seq, ...state }: Notice): Note {
  return { kind: 'notice', target: seq, name: '', value: JSON.stringify(state) }
}
