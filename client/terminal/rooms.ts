/** Rooms by the names that a person gives them. */
import { directPeer, directRoom, isDirectRoom, isRoomId, isUserId } from '../../schemas/ids.js'
import { type Chat, ChatError, type RoomSummary } from '../node/index.js'
import { printable, printableLine } from './printable.js'

/** `lobby` or `@bob`, as its id; null: it cannot be one. */
export function roomIdOf(name: string, me: string): string | null {
  if (name.startsWith('@')) return isUserId(name.slice(1)) ? directRoom(me, name.slice(1)) : null
  return isRoomId(name) || isDirectRoom(name) ? name : null
}

/** `lobby` or `@bob`: as a person would type it. */
export function nameOf(room: string, me: string): string {
  const peer = directPeer(room, me)
  return peer === null ? room : `@${peer}`
}

/** `tea *3 @1`: with what is unread, and how much of that mentions the user. */
export function summaryText(summary: RoomSummary, me: string): string {
  return [nameOf(summary.room, me), marksText(summary)].filter(Boolean).join(' ')
}

/** `*3 @1`; empty: nothing is unread. */
export function marksText({ unread, mentions }: RoomSummary): string {
  return [unread > 0 ? `*${unread}` : '', mentions > 0 ? `@${mentions}` : ''].filter(Boolean).join(' ')
}

/** `tea *3 @1: The Tea Room`: what is typed to open it comes first. */
export function listedRoom(summary: RoomSummary, me: string): string {
  const { room, info } = summary
  const name = printableLine((info.peer ?? info).name ?? '')
  return summaryText(summary, me) + (name === '' || name === room ? '' : `: ${name}`)
}

/** It can be opened as it is. */
export function isEntered({ rooms }: Chat, room: string): boolean {
  return isDirectRoom(room) || rooms.current.some((one) => one.room === room)
}

/** Joins it if that is needed, and makes it if that is usual here. Rejects with an error that says why not. */
export async function enter(chat: Chat, room: string, me: string): Promise<void> {
  if (isEntered(chat, room)) return
  try {
    await joinOrMake(chat, room)
  } catch (error) {
    throw new Error(`cannot join ${nameOf(room, me)}: ${printable((error as Error).message)}`, { cause: error })
  }
}

async function joinOrMake(chat: Chat, room: string): Promise<void> {
  const join = (): Promise<unknown> => chat.room(room).join()
  try {
    await join()
  } catch (error) {
    if (!is(error, 'not_found') || !(await chat.ask.server.info()).features.autoCreate) throw error
    // Somebody else may have made it meanwhile.
    await chat.ask.rooms.create({ room }).catch((why: unknown) => {
      if (!is(why, 'conflict')) throw error
      return join()
    })
  }
}

function is(error: unknown, code: ChatError['code']): boolean {
  return error instanceof ChatError && error.code === code
}
