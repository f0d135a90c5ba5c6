import type { SAVED_COMMANDS } from '../../../schemas/commands/saved.js'
import { Refusal } from '../../../schemas/errors.js'
import { requireSameAccount } from '../../auth/account-version.js'
import { isPositionIn } from '../../store/logs.js'
import type { SavedRecord } from '../../store/saved.js'
import type { Store } from '../../store/store.js'
import { renderEntries } from '../history/history.js'
import { withheld } from '../history/history-page.js'
import type { References } from '../messages/references.js'
import { type Actor, requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { renderFitting } from '../model/paging.js'
import { comesBefore, type Place, readCursor, restOfPage } from '../model/places.js'
import { hiddenFrom, logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the messages. */
const ENVELOPE = 1024

export interface SavedCommandDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly references: References
  /** Messages that a user may save. */
  readonly savedMessages: number
  readonly replyBytes: number
}

export function savedCommands(deps: SavedCommandDeps): Handlers<keyof typeof SAVED_COMMANDS> {
  const { store, rules, references, replyBytes } = deps
  return {
    'saved.add': async (actor, { room, seq, note }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      const { message } = await references.find(actor, id, seq, 'seq')
      if (!message) throw new Refusal('not_found', `message ${seq} is not kept any more`, { field: 'seq' })
      const { incarnation } = await store.log.open(logs.messages(id))
      return JSON.stringify(shownRecord(await save(deps, actor, { room: id, seq, incarnation, note })))
    },
    'saved.remove': async (actor, { room, seq }) => {
      await unsave(store, actor, rules.resolve(actor, room), seq)
      return '{}'
    },
    'saved.list': async (actor, { room, cursor, limit = 50 }) => {
      const user = requireUser(actor)
      const id = room === undefined ? null : rules.resolve(actor, room)
      const all = await store.directory.saved.list(user, id)
      const start = cursor === undefined ? null : readCursor(cursor)
      const rest = all
        .filter((record) => !start || comesBefore(start, placeOf(record)))
        .sort((a, b) => (comesBefore(placeOf(a), placeOf(b)) ? -1 : 1))
      const show = (record: SavedRecord): Promise<string> => render(store, user, record)
      const shown = await renderFitting(rest.slice(0, limit), show, replyBytes - ENVELOPE)
      const next = shown.length < rest.length ? placeOf(rest[shown.length - 1]!) : null
      return `{"saved":[${shown.join(',')}],${JSON.stringify(restOfPage(next)).slice(1)}`
    },
  }
}

interface Wanted extends Pick<SavedRecord, 'room' | 'seq' | 'incarnation'> {
  /** Undefined: as before. */
  readonly note: string | null | undefined
}

async function save({ store, rules, savedMessages }: SavedCommandDeps, actor: Actor, wanted: Wanted) {
  const user = requireUser(actor)
  const { room, seq, incarnation } = wanted
  const { value } = await store.transact(laneOf(user), async ({ directory }) => {
    await requireSameAccount(directory, actor.principal)
    rules.with(directory).requireMember(actor, room)
    const { saved } = directory
    const [found, count] = [await saved.get(user, room, seq), await saved.count(user)]
    const before = found?.incarnation === incarnation ? found : null
    const { note = before?.note ?? null } = wanted
    if (before?.note === note) return { value: before }
    if (!found && count >= savedMessages)
      throw new Refusal('conflict', `you have saved ${count} messages; remove one first (limits.savedMessages)`)
    const record: SavedRecord = { room, seq, incarnation, note, savedAt: before?.savedAt ?? Date.now() }
    const ops = [saved.putOp(user, record), ...(found ? [] : [saved.countOp(user, count + 1)])]
    return { drafts: [userEvent(user, { type: 'saved', room, target: seq, saved: true })], ops, value: record }
  })
  return value
}

async function unsave(store: Store, actor: Actor, room: string, seq: number): Promise<void> {
  const user = requireUser(actor)
  await store.transact(laneOf(user), async ({ directory }) => {
    await requireSameAccount(directory, actor.principal)
    const { saved } = directory
    if (!(await saved.get(user, room, seq))) return { value: undefined }
    const ops = [saved.deleteOp(user, room, seq), saved.countOp(user, (await saved.count(user)) - 1)]
    return { drafts: [userEvent(user, { type: 'saved', room, target: seq, saved: false })], ops, value: undefined }
  })
}

/** JSON: what the user may read of it now. */
async function render(store: Store, user: string, record: SavedRecord): Promise<string> {
  const message = await messageOf(store, user, record)
  const shown = JSON.stringify(shownRecord(record))
  return message === null ? shown : `${shown.slice(0, -1)},"message":${message}}`
}

/** Null: the user is not in the room. */
async function messageOf(store: Store, user: string, { room, seq, incarnation }: SavedRecord): Promise<string | null> {
  const member = store.directory.member(room, user)
  if (!member) return null
  if (seq <= hiddenFrom(member)) return withheld(seq, 'blocked')
  const log = await store.log.open(logs.messages(room))
  const [entry] = isPositionIn(log, seq, incarnation) ? await store.log.read(log.name, seq - 1, 1, 1, 'shown') : []
  if (entry?.seq !== seq) return withheld(seq, 'retention')
  const [text] = await renderEntries(store, log.name, { view: 'folded', reader: user }, [entry])
  return store.directory.member(room, user)?.since === member.since ? text! : null
}

function shownRecord({ room, seq, savedAt, note }: SavedRecord) {
  return { room, seq, savedAt, note }
}

function laneOf(user: string): string {
  return `saved ${user}`
}

function placeOf({ savedAt, room, seq }: SavedRecord): Place {
  return { ts: savedAt, room, seq }
}
