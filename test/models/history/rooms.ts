/**
 * Who was a member of a room in which role, as the events of the room tell: they are one order over all nodes, so that each decision can be judged by what
 * had happened before it, wherever that was decided.
 */
import { type Founded, groupBy, type History, ofType, type Placed, type RoomEvent, type Sent } from './events.js'

/** Ms after which nobody gets or sends what a membership allowed: three times the promise. */
const SILENCE = 3000

export function checkRooms(history: History): string[] {
  const events = groupBy(ofType(history, 'room event'), ({ session, room }) => `${room}, as ${session} heard,`)
  const founded = new Map(ofType(history, 'founded').map((each) => [each.room, each]))
  return [
    ...[...events].flatMap(([name, told]) =>
      judge(history, founded.get(told[0]!.room)!, told).map((what) => `${name} ${what}`),
    ),
    ...spokenByRemoved(history),
  ]
}

function judge(history: History, founded: Founded, told: readonly RoomEvent[]): string[] {
  // At QoS 1 one may come again on another connection.
  const bySeq = [...new Map(told.map((event) => [event.seq, event])).values()].sort((a, b) => a.seq - b.seq)
  const first = bySeq[0]!.seq
  const isDense = bySeq.every(({ seq }, i) => seq === first + i)
  if (!isDense) return [`has the events ${bySeq.map(({ seq }) => seq).join(' ')}`]
  const room = new Room(founded)
  const wrong = bySeq.flatMap((event) => room.apply(event).map((what) => `${event.seq}: ${what}`))
  return [...wrong, ...acknowledged(history, founded.room, bySeq), ...otherwise(history, founded.room, room)]
}

class Room {
  readonly members: Map<string, string>
  readonly #invited = new Set<string>()
  readonly #founded: Founded

  constructor(founded: Founded) {
    this.#founded = founded
    this.members = new Map(Object.entries(founded.members))
  }

  /** What is wrong with it. */
  apply(event: RoomEvent): string[] {
    const { kind, user } = event
    if (kind === 'invited') this.#invited.add(user!)
    if (kind === 'joined') return this.#joined(user!)
    if (kind === 'role' || kind === 'left' || kind === 'removed') return this.#changed(event)
    return []
  }

  #joined(user: string): string[] {
    const { most, isPrivate } = this.#founded
    const wasMember = this.members.has(user)
    const wasInvited = this.#invited.delete(user)
    this.members.set(user, 'member')
    return [
      ...(wasMember ? [`${user} joins, and was a member`] : []),
      ...(isPrivate && !wasInvited ? [`${user} joins without an invitation`] : []),
      ...(most !== null && this.members.size > most ? [`${this.members.size} members, of ${most}`] : []),
    ]
  }

  #changed({ kind, user, role }: RoomEvent): string[] {
    const wasMember = this.members.has(user!)
    if (kind === 'role') this.members.set(user!, role!)
    else this.members.delete(user!)
    return [
      ...(wasMember ? [] : [`${user} is no member: ${kind}`]),
      ...([...this.members.values()].includes('owner') ? [] : ['nobody owns the room']),
    ]
  }
}

/** Each act that was acknowledged is an event. */
function acknowledged(history: History, room: string, told: readonly RoomEvent[]): string[] {
  const acts = ofType(history, 'acted').filter((act) => act.room === room)
  const times = (kind: string, user: string): number =>
    told.filter((event) => event.kind === kind && event.user === user).length
  return [...groupBy(acts, ({ kind, user }) => `${kind} ${user}`).values()].flatMap((same) => {
    const { kind, user } = same[0]!
    const found = times(kind, user)
    return found < same.length ? [`has ${found} times ${kind} of ${user}, and ${same.length} were acknowledged`] : []
  })
}

/** Who is a member at the end, as each node says. */
function otherwise(history: History, room: string, { members }: Room): string[] {
  const text = (all: Iterable<readonly [string, string]>): string =>
    [...all]
      .map((each) => each.join(' '))
      .sort()
      .join()
  return ofType(history, 'members')
    .filter((read) => read.room === room && text(Object.entries(read.members)) !== text(members))
    .map(({ node, members: other }) => `has ${text(members)} at the end, and ${text(Object.entries(other))} on ${node}`)
}

/** What the removed sends, or what others send to them. */
function spokenByRemoved(history: History): string[] {
  const sent = new Map(
    [...groupBy(ofType(history, 'sent'), ({ message }) => message)].map(([name, [one]]) => [name, one!]),
  )
  const acked = new Set(ofType(history, 'acked').map(({ message }) => message))
  return absences(history).flatMap(({ room, user, from, to }) => {
    const during = ({ log, ms }: Placed<Sent>): boolean => log === room && ms > from + SILENCE && ms < to
    const spoken = [...sent.values()].filter((each) => each.user === user && during(each) && acked.has(each.message))
    const heard = ofType(history, 'delivered').filter(({ session, message, ms }) => {
      const first = sent.get(message)
      return session.startsWith(`${user}/`) && first && during(first) && ms < to
    })
    return [
      ...spoken.map(({ message }) => `${user} had been removed from ${room}, and sent ${message}`),
      ...heard.map(({ message }) => `${user} had been removed from ${room}, and got ${message}`),
    ]
  })
}

interface Absence {
  readonly room: string
  readonly user: string
  /** Ms. */
  readonly from: number
  readonly to: number
}

/** From the answer to who removed somebody, until that one asks to come back. */
function absences(history: History): Absence[] {
  const returns = ofType(history, 'returning')
  return ofType(history, 'acted')
    .filter(({ kind }) => kind === 'removed')
    .map(({ room, user, ms, at }) => {
      const back = returns.find((each) => each.room === room && each.user === user && each.at > at)
      return { room, user, from: ms, to: back?.ms ?? Number.POSITIVE_INFINITY }
    })
}
