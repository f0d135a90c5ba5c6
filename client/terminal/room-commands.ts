/** Commands about rooms, and who is in them. */
import { directPeer, isDirectRoom, isUserId } from '../../schemas/ids.js'
import { type Commands, needed, roomOr } from './command.js'
import { type Desk, roomNamed } from './desk.js'
import { printableLine } from './printable.js'
import { listedRoom, nameOf } from './rooms.js'

export const ROOM_COMMANDS: Commands = {
  join: {
    takes: 'ROOM',
    help: 'opens a room, or @user, and joins it if need be',
    completes: 'room',
    isAnywhere: true,
    mayOpen: true,
    run: (desk, rest) => desk.open(roomNamed(desk, rest)),
  },
  rooms: { help: 'your rooms, and what they are called: *3 is unread, @1 mentions you', isAnywhere: true, run: rooms },
  find: { takes: '[WORDS]', help: 'rooms that anyone may join, or ask to join', isAnywhere: true, run: findRooms },
  create: {
    takes: 'ROOM [private]',
    help: 'makes a room, public unless it is to be private',
    isAnywhere: true,
    mayOpen: true,
    run: create,
  },
  leave: { takes: '[ROOM]', help: 'leaves a room', completes: 'room', mayOpen: true, run: leave },
  who: { help: 'the members, and who of them is seen to be online', run: who },
  invite: { takes: 'USER', help: 'invites somebody into the room', run: invite },
  invitations: { help: 'rooms you are invited into', isAnywhere: true, run: invitations },
  decline: { takes: 'ROOM', help: 'declines an invitation', isAnywhere: true, run: decline },
}

function rooms(desk: Desk): void {
  const { chat, me } = desk
  desk.say(chat.rooms.current.map((one) => listedRoom(one, me)).join('\n') || 'no rooms yet; /find lists public ones')
}

/** Rooms that are listed. */
const LISTED = 50

async function findRooms(desk: Desk, words: string): Promise<void> {
  const query = words && { query: words }
  const { rooms, more } = await desk.chat.ask.rooms.list({ scope: 'public', limit: LISTED, ...query })
  const lines = rooms.map(({ id, topic, access, members }) => {
    const about = [access === 'request' ? 'on request' : '', `${members} in it`, topic ?? '']
    return `${id}: ${about.filter(Boolean).map(printableLine).join(', ')}`
  })
  desk.say([...lines, ...(more ? ['there are more: /find WORDS'] : [])].join('\n') || 'there is no such room')
}

async function create(desk: Desk, rest: string): Promise<void> {
  const [name = '', access = 'public', ...more] = rest.split(/\s+/)
  if ((access !== 'public' && access !== 'private') || more.length > 0) throw new Error('/create ROOM [private]')
  const room = roomNamed(desk, name)
  await desk.chat.ask.rooms.create({ room, access })
  await desk.open(room)
}

async function leave(desk: Desk, rest: string): Promise<void> {
  const room = roomOr(desk, rest)
  if (isDirectRoom(room)) throw new Error('a conversation cannot be left')
  await desk.chat.room(room).leave()
  desk.say(`left ${room}`)
  const next = desk.chat.rooms.current.find((one) => one.room !== room)
  if (room === desk.room.id && next) await desk.open(next.room)
}

/** Members that are named: as many as their presence can be asked for at once. */
const NAMED = 100

async function who(desk: Desk): Promise<void> {
  const { chat, room, me } = desk
  const peer = directPeer(room.id, me)
  const page = peer === null ? await chat.ask.rooms.members({ room: room.id, limit: NAMED }) : null
  const users = page ? page.members.map(({ user }) => user) : [...new Set([me, peer!])]
  const { presences } = await chat.ask.users.presence({ users })
  const states = new Map(presences.map((one) => [one.user, one]))
  const named = users.map((user) => {
    const { state = 'offline', status = null } = states.get(user) ?? {}
    const seen = [user === me ? 'you' : state === 'offline' ? '' : state, status ?? ''].filter(Boolean)
    return user + (seen.length > 0 ? ` (${printableLine(seen.join(', '))})` : '')
  })
  desk.say(named.join(', ') + (page?.more ? ` and others, ${page.count} in all` : ''))
}

async function invite(desk: Desk, rest: string): Promise<void> {
  const user = needed(rest, 'whom? /invite USER').replace(/^@/, '')
  if (!isUserId(user)) throw new Error(`${user} is not a user name`)
  await desk.chat.ask.rooms.invite({ room: desk.room.id, user })
  desk.say(`${user} is invited`)
}

function invitations(desk: Desk): void {
  const lines = desk.chat.invitations.current.map((one) => invitationText(one, desk.me))
  desk.say(lines.join('\n') || 'no invitations')
}

export function invitationText({ room, by }: { readonly room: string; readonly by: string }, me: string): string {
  return `${by} invites you into ${nameOf(room, me)}: /join ${room} or /decline ${room}`
}

async function decline(desk: Desk, rest: string): Promise<void> {
  const room = roomNamed(desk, rest)
  await desk.chat.ask.rooms.decline({ room })
  desk.say(`declined ${room}`)
}
