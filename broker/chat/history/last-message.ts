/** The newest message of a room, as a list of rooms shows it. */
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { hiddenFrom, logs } from '../model/views.js'
import { FoldedMessages } from './folded.js'
import { renderAll } from './history-page.js'
import { scanMessages } from './history-scan.js'

/** A longer message is given with the beginning of its text, and without the rest. */
const MAX_BYTES = 2048
/** Characters of that beginning. */
const MAX_TEXT = 200
/** Bytes per read. */
const READ_BYTES = 65_536

export interface LastMessage {
  /** JSON of the message as it is now, or of what is left of it; `null`: there is none. */
  readonly text: string
  /** Unix ms; null: there is none. */
  readonly ts: number | null
}

export class LastMessages {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async of(member: MemberRecord): Promise<LastMessage> {
    const { room, user } = member
    const log = logs.messages(room)
    const { head, tail } = await this.#store.log.open(log)
    const first = Math.max(tail, hiddenFrom(member) + 1)
    if (head < first) return { text: 'null', ts: null }
    const scan = { direction: 'back', first, last: head, limit: 1, maxBytes: READ_BYTES } as const
    const { entries } = await scanMessages(this.#store, log, scan)
    const folded = new FoldedMessages(this.#store, log, user)
    const [text] = await renderAll(entries, (present) => folded.render(present))
    return text === undefined ? { text: 'null', ts: null } : { text: shortened(text), ts: entries[0]!.ts }
  }
}

function shortened(text: string): string {
  if (Buffer.byteLength(text) <= MAX_BYTES) return text
  const { id, room, seq, ts, from, to, type, text: said, thread } = JSON.parse(text)
  const beginning = typeof said === 'string' ? [...said.slice(0, 2 * MAX_TEXT)].slice(0, MAX_TEXT).join('') : undefined
  return JSON.stringify({ id, room, seq, ts, from, to, type, text: beginning, thread, cut: true })
}
