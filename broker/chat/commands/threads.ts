import type { THREAD_COMMANDS } from '../../../schemas/commands/threads.js'
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import { renderEntries } from '../history/history.js'
import { withheld } from '../history/history-page.js'
import { listThreads } from '../history/thread-list.js'
import type { Unread } from '../history/unread.js'
import type { References } from '../messages/references.js'
import { type Actor, requireUser } from '../model/actor.js'
import { renderFitting } from '../model/paging.js'
import { hiddenFrom, logs } from '../model/views.js'
import type { RoomPreferences } from '../rooms/room-preferences.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the threads. */
const ENVELOPE = 1024
const NO_THREADS = '{"threads":[],"more":false}'

export interface ThreadCommandDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly references: References
  readonly preferences: RoomPreferences
  readonly unread: Unread
  readonly replyBytes: number
}

export function threadCommands(deps: ThreadCommandDeps): Handlers<keyof typeof THREAD_COMMANDS> {
  const { store, rules, references, preferences, replyBytes } = deps
  return {
    'threads.list': async (actor, { room, cursor, limit = 20 }) => {
      const id = rules.resolve(actor, room)
      if (isDirectRoom(id) && !store.directory.room(id)) return NO_THREADS
      const member = rules.requireMember(actor, id)
      const log = logs.messages(id)
      const before = cursor === undefined ? (await store.log.open(log)).head + 1 : readSeq(cursor)
      const { threads, next } = await listThreads(store, log, { before, hidden: hiddenFrom(member), limit })
      const shown = await renderFitting(
        threads,
        async ({ seq }) =>
          `{"message":${(await firstOf(store, member, seq)) ?? withheld(seq, 'retention')},"following":${follows(member, seq)}}`,
        replyBytes - ENVELOPE,
      )
      const cut = shown.length < threads.length
      return pageOf(shown, cut ? threads[shown.length - 1]!.replies.lastSeq : next)
    },
    'threads.followed': async (actor, { cursor, limit = 20 }) => {
      const page = followedBy(store, actor, cursor)
      const shown: (readonly [string, Followed])[] = []
      let bytes = ENVELOPE
      for (const followed of page) {
        const text = await followedText(deps, followed)
        if (text === null) continue
        bytes += Buffer.byteLength(text) + 1
        const full = shown.length === limit || (shown.length > 0 && bytes > replyBytes)
        if (full) return pageOf(shown.map(textOf), cursorOf(shown.at(-1)![1]))
        shown.push([text, followed])
      }
      return pageOf(shown.map(textOf), null)
    },
    'threads.follow': async (actor, { room, thread }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      const { message } = await references.find(actor, id, thread, 'thread')
      if (message?.thread !== undefined)
        throw new Refusal('bad_request', `message ${thread} is itself in a thread: ${message.thread}`, {
          field: 'thread',
        })
      await preferences.follow(actor, id, thread, true)
      return '{}'
    },
    'threads.unfollow': async (actor, { room, thread }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      await preferences.follow(actor, id, thread, false)
      return '{}'
    },
  }
}

interface Followed {
  readonly member: MemberRecord
  readonly thread: number
}

/** By room and thread, from behind the cursor on. */
function followedBy({ directory }: Store, actor: Actor, cursor: string | undefined): Followed[] {
  const [room, thread] = cursor === undefined ? ['', 0] : readCursor(cursor)
  return [...directory.memberships(requireUser(actor)).values()]
    .filter((member) => member.followed && member.room >= room)
    .sort((a, b) => (a.room < b.room ? -1 : 1))
    .flatMap((member) => member.followed!.map((one): Followed => ({ member, thread: one })))
    .filter((one) => one.member.room > room || one.thread > thread)
}

/** JSON; null: the message that began the thread is not kept any more, or the user has left. */
async function followedText(
  { store, unread }: ThreadCommandDeps,
  { member, thread }: Followed,
): Promise<string | null> {
  const { room, user, since } = member
  const message = await firstOf(store, member, thread)
  const counts = await unread.ofThread(member, thread)
  if (message === null || store.directory.member(room, user)?.since !== since) return null
  return `{"room":${JSON.stringify(room)},"thread":${thread},"message":${message},${JSON.stringify(counts).slice(1)}`
}

/** The message that began a thread, folded; null: it is not kept any more. */
async function firstOf(store: Store, { room, user }: MemberRecord, seq: number): Promise<string | null> {
  const log = logs.messages(room)
  const [entry] = await store.log.read(log, seq - 1, 1, 1, 'shown')
  if (entry?.seq !== seq) return null
  const [text] = await renderEntries(store, log, { view: 'folded', reader: user }, [entry])
  return text!
}

function follows({ followed = [] }: MemberRecord, thread: number): boolean {
  return followed.includes(thread)
}

function textOf([text]: readonly [string, Followed]): string {
  return text
}

function pageOf(threads: readonly string[], next: number | string | null): string {
  const rest = next === null ? { more: false } : { more: true, cursor: String(next) }
  return `{"threads":[${threads.join(',')}],${JSON.stringify(rest).slice(1)}`
}

function cursorOf({ member, thread }: Followed): string {
  return `${member.room} ${thread}`
}

function readCursor(cursor: string): [room: string, thread: number] {
  const end = cursor.lastIndexOf(' ')
  return [cursor.slice(0, Math.max(end, 0)), readSeq(cursor.slice(end + 1))]
}

function readSeq(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new Refusal('bad_request', 'cursor is none that this command has given', { field: 'cursor' })
}
