/** What a client does not know as the broker does. */
import { isDeepStrictEqual } from 'node:util'
import type { RoomState } from '../../../client/engine/room-state.js'
import type { Methods } from '../../../client/requests/methods.js'
import type { LoggedMessage } from '../../../schemas/commands/shown-message.js'
import type { Kept, Known, ShownItem, ShownTimeline } from './knowledge.js'

type History = ReadonlyMap<number, LoggedMessage>

/** `person`: whom the client is logged in as. */
export async function differences(known: Known, person: Methods): Promise<string[]> {
  if (known.status !== 'online') return [`it is ${known.status}`]
  if (known.outbox.length > 0) return [`the outbox holds ${JSON.stringify(known.outbox)}`]
  const wrong = new Differences()
  const { rooms: counts } = await person.unread()
  const { rooms: listed } = await person.rooms.list()
  const histories = new Map<string, History>()
  for (const { room, direct, head, createdAt } of listed) {
    const mine = known.rooms.find((one) => one.room === room)
    // Of a conversation in which nothing was said the client need not know.
    if (!mine && direct && head === 0) continue
    const history = await historyOf(person, room)
    histories.set(room, history)
    const last = [...history.values()].at(-1)
    if (mine?.last) wrong.compare(`the last of ${room}`, without(mine.last), without(last))
    wrong.compare(`counts of ${room}`, countsOf(mine), countsOf(counts.find((one) => one.room === room)))
    const state = known.kept?.rooms.find((one) => one.room === room)
    if (known.kept) wrong.compare(`place in ${room}`, [state?.seq, state?.created], [head, createdAt])
  }
  for (const { room } of known.rooms) if (!histories.has(room)) wrong.add(`${room} is no room of theirs`)
  if (known.kept) compareKept(known.kept, histories, wrong)
  for (const row of known.wrongRows) wrong.add(row)
  for (const timeline of known.timelines) compareTimeline(timeline, histories.get('tea') ?? new Map(), wrong)
  return wrong.all
}

class Differences {
  readonly all: string[] = []

  add(what: string): void {
    this.all.push(what)
  }

  compare(what: string, mine: unknown, theirs: unknown): void {
    if (!isDeepStrictEqual(mine, theirs)) this.add(`${what}: ${JSON.stringify(mine)}, not ${JSON.stringify(theirs)}`)
  }
}

function compareKept({ rooms, messages }: Kept, histories: ReadonlyMap<string, History>, wrong: Differences): void {
  const known = new Set<string>()
  for (const { room, message } of messages) {
    known.add(`${message.seq} of ${room}`)
    wrong.compare(`${message.seq} of ${room}`, without(message), without(histories.get(room)?.get(message.seq)))
  }
  for (const { room, spans } of rooms)
    for (const [first, last] of spans)
      for (const seq of histories.get(room)?.keys() ?? [])
        if (seq >= first && seq <= last && !known.has(`${seq} of ${room}`)) wrong.add(`${seq} of ${room} is missing`)
}

/** A timeline of the room tea that was opened at the start, and is at another place each time. */
function compareTimeline({ part, items, follows }: ShownTimeline, history: History, wrong: Differences): void {
  const name = `the timeline of ${part}`
  if (new Set(items.map(({ key }) => key)).size < items.length) wrong.add(`${name} shows something twice`)
  const theirs = [...history.values()].filter((message) => isOf(part, message))
  const [first, last] = [items[0], items.at(-1)]
  if (!first || !last) return theirs.length > 0 ? wrong.add(`${name} is empty`) : undefined
  const [from, to] = [spanOf(first)[0], spanOf(last)[1]]
  const gaps = items.filter(({ kind }) => kind === 'gap').map(spanOf)
  // Of what is in a gap some may be known.
  const known = new Set(items.flatMap((item) => (item.kind === 'gap' ? [] : [item.message.seq])))
  const isShown = ({ seq }: LoggedMessage): boolean =>
    known.has(seq) || (seq >= from && seq <= to && !gaps.some(([a, b]) => seq >= a && seq <= b))
  // What is left of an expired message does not say in which thread it was.
  const isSure = (message: LoggedMessage): boolean =>
    part === 'all' || !('gone' in message) || message.gone === 'deleted'
  const shown = items.flatMap((item) => (item.kind === 'gap' ? [] : [item.message]))
  for (const message of shown)
    if (!isSure(message)) wrong.compare(`${message.seq} of ${name}`, message, history.get(message.seq))
  wrong.compare(name, shown.filter(isSure).map(without), theirs.filter(isShown).filter(isSure).map(without))
  const newest = theirs.filter(isSure).at(-1)
  if (follows && newest && newest.seq > to) wrong.add(`${name} does not follow`)
}

function isOf(part: ShownTimeline['part'], message: LoggedMessage): boolean {
  if (part === 'all' || message.seq === part) return true
  const { thread } = message
  return part === 'roots' ? thread === undefined : thread === part
}

function spanOf(item: ShownItem): readonly [number, number] {
  return item.kind === 'gap' ? [item.from, item.to] : [item.message.seq, item.message.seq]
}

function countsOf(counts: Pick<RoomState, 'read' | 'unread' | 'mentions'> | undefined): object | undefined {
  return counts && { read: counts.read, unread: counts.unread, mentions: counts.mentions }
}

/** An unpin is no part of what is shown, so that only who heard it knows of it. */
function without(message: LoggedMessage | undefined): object | undefined {
  const { asOf: _, ...rest } = (message ?? {}) as { asOf?: number }
  return message && rest
}

export async function historyOf(person: Methods, room: string): Promise<Map<number, LoggedMessage>> {
  const all: LoggedMessage[] = []
  for (let before: number | undefined, more = true; more; ) {
    const page = await person.history({ room, view: 'folded', limit: 200, ...(before === undefined ? {} : { before }) })
    all.unshift(...page.messages)
    ;({ before, more } = page)
  }
  return new Map(all.map((message) => [message.seq, message]))
}
