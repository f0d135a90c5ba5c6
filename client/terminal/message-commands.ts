/** Commands about single messages. */

import { type Commands, find, needed } from './command.js'
import { type Desk, roomNamed, sendText, withMentions } from './desk.js'
import { parseTarget } from './input.js'
import type { Message } from './lines.js'

export const MESSAGE_COMMANDS: Commands = {
  reply: { takes: '[#N] TEXT', help: 'answers a message', run: reply },
  thread: {
    takes: '[#N] [TEXT]',
    help: 'opens the thread of a message, or writes there; /thread alone goes back',
    mayOpen: true,
    run: thread,
  },
  edit: { takes: '[#N] TEXT', help: 'changes a message of yours', run: edit },
  delete: { takes: '[#N]', help: 'deletes a message', run: remove },
  react: { takes: '[#N] EMOJI', help: 'reacts; the same again takes it back', run: react },
  pin: { takes: '[#N]', help: 'pins a message for all', run: (desk, rest) => pin(desk, rest, true) },
  unpin: { takes: '#N', help: 'pins it no more', run: (desk, rest) => pin(desk, rest, false) },
  forward: { takes: '[#N] ROOM', help: 'sends a message to another room', completes: 'room', run: forward },
  seen: { takes: '[#N]', help: 'who has read a message of yours', run: seen },
}

async function reply(desk: Desk, rest: string): Promise<void> {
  const { seq, text } = parseTarget(rest)
  const target = await find(desk, seq, (message) => message.from !== desk.me)
  sendText(desk, needed(text, 'what is the answer?'), {
    replyTo: target.seq,
    ...(target.thread !== undefined && { thread: target.thread }),
  })
}

async function thread(desk: Desk, rest: string): Promise<void> {
  const { seq, text } = parseTarget(rest)
  if (seq === null && text) throw new Error('which message? /thread #N')
  if (seq === null) return desk.open(desk.room.id)
  const { thread: root = seq } = await find(desk, seq, () => false)
  if (text) sendText(desk, text, { thread: root })
  else await desk.open(desk.room.id, { thread: root })
}

async function edit(desk: Desk, rest: string): Promise<void> {
  const { seq, text } = parseTarget(rest)
  const target = await find(desk, seq, isOwn(desk))
  const { attachments, data } = target
  const content = {
    ...withMentions(desk.room, needed(text, 'what is it to say?')),
    ...(attachments && { attachments }),
  }
  desk.room.edit(target.seq, { ...content, ...(data !== undefined && { data }) })
}

async function remove(desk: Desk, rest: string): Promise<void> {
  const { seq } = parseTarget(rest)
  desk.room.remove((await find(desk, seq, isOwn(desk))).seq)
}

async function react(desk: Desk, rest: string): Promise<void> {
  const { seq, text: emoji } = parseTarget(rest)
  const target = await find(desk, seq, (message) => message.from !== desk.me)
  const isOn = !target.reactions?.some((one) => one.me && one.emoji === emoji)
  desk.room.react(target.seq, needed(emoji, 'with which emoji?'), isOn)
}

async function pin(desk: Desk, rest: string, isOn: boolean): Promise<void> {
  const { seq } = parseTarget(rest)
  if (seq === null && !isOn) throw new Error('which message? /unpin #N; /pins lists them')
  desk.room.pin((await find(desk, seq, () => true)).seq, isOn)
}

async function forward(desk: Desk, rest: string): Promise<void> {
  const { seq, text } = parseTarget(rest)
  const to = roomNamed(desk, needed(text, 'where to? /forward [#N] ROOM'))
  desk.room.forward((await find(desk, seq, () => true)).seq, to)
}

/** Members that are named. */
const NAMED = 50

async function seen(desk: Desk, rest: string): Promise<void> {
  const { seq: number } = parseTarget(rest)
  const { seq } = await find(desk, number, isOwn(desk))
  const { receipts, read, delivered } = await desk.chat.ask.receipts({ room: desk.room.id, seq, limit: NAMED })
  const others = receipts.filter(({ user }) => user !== desk.me)
  const named = (what: string, those: typeof others): string =>
    those.length > 0 ? `${what} ${those.map(({ user }) => user).join(', ')}` : ''
  const hasRead = (one: { readonly read: number }): boolean => one.read >= seq
  const parts = [
    named('read by', others.filter(hasRead)),
    named(
      'delivered to',
      others.filter((one) => !hasRead(one)),
    ),
    others.length >= NAMED - 1 ? `read by ${read} and delivered to ${delivered} in all` : '',
  ]
  desk.say(`#${seq}: ${parts.filter(Boolean).join('; ') || 'nobody has it yet'}`)
}

function isOwn({ me }: Desk): (message: Message) => boolean {
  return (message) => message.from === me
}
