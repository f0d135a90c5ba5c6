/** Commands that find messages, and show them where they are. */

import { type Commands, fetched, find, needed } from './command.js'
import { type Desk, roomNamed } from './desk.js'
import { listedLine, type Message } from './lines.js'
import { isEntered, nameOf } from './rooms.js'

export const LOOKING_COMMANDS: Commands = {
  history: { takes: '[N]', help: 'earlier messages', run: history },
  search: {
    takes: 'WORDS [in:ROOM] [from:USER]',
    help: 'messages with all these words, wor* for a beginning, the newest first',
    isAnywhere: true,
    run: search,
  },
  mentions: { help: 'messages that mention you, * those that you have not read', isAnywhere: true, run: mentions },
  pins: { help: 'the pinned messages of the room', run: pins },
  threads: { help: 'the threads of the room, the last one first', run: threads },
  goto: { takes: '[ROOM] #N', help: 'shows a message where it is', completes: 'room', mayOpen: true, run: goTo },
}

/** Messages that a list shows at most. */
const LISTED = 20
/** Of history. */
const MOST_LINES = 400

async function history(desk: Desk, rest: string): Promise<void> {
  await desk.showEarlier(Math.max(1, Math.min(Number(rest) || LISTED, MOST_LINES)))
}

async function search(desk: Desk, rest: string): Promise<void> {
  const { words, room, from } = searchOf(rest)
  const query = needed(words, 'which words? /search WORDS [in:ROOM] [from:USER]')
  const place = room === undefined ? {} : { room: roomNamed(desk, room) }
  const who = from === undefined ? {} : { from }
  const { results, more } = await desk.chat.ask.search({ query, ...place, ...who, limit: LISTED })
  list(
    desk,
    results.map(({ message }) => foundLine(desk, message)),
    more,
  )
}

/** `in:` and `from:` may stand anywhere. */
export function searchOf(rest: string): { words: string; room?: string; from?: string } {
  const found: { room?: string; from?: string } = {}
  const words = rest.replace(/(?<!\S)(in|from):(\S+)/g, (_, what: string, name: string) => {
    if (what === 'in') found.room = name
    else found.from = name.replace(/^@/, '')
    return ''
  })
  return { words: words.trim().replace(/\s+/g, ' '), ...found }
}

async function mentions(desk: Desk): Promise<void> {
  const { mentions, more } = await desk.chat.ask.mentions.list({ limit: LISTED })
  list(
    desk,
    mentions.map(({ message, read }) => (read ? '' : '* ') + foundLine(desk, message)),
    more,
  )
}

async function pins(desk: Desk): Promise<void> {
  const { messages, more } = await desk.chat.ask.history({
    ...{ room: desk.room.id, pinned: true },
    ...{ view: 'folded', limit: LISTED },
  })
  list(
    desk,
    messages.flatMap((message) => ('gone' in message ? [] : [listedLine(message)])),
    more,
  )
}

async function threads(desk: Desk): Promise<void> {
  const { threads, more } = await desk.chat.ask.threads.list({ room: desk.room.id, limit: LISTED })
  const lines = threads.flatMap(({ message }) =>
    'gone' in message ? [] : [`${listedLine(message)} (${message.replies?.count ?? 0} in it)`],
  )
  list(desk, lines, more)
}

async function goTo(desk: Desk, rest: string): Promise<void> {
  const [, name, number] = /^(?:(\S+)\s+)?#(\d{1,15})$/.exec(rest) ?? []
  if (number === undefined) throw new Error('which message? /goto #N, or /goto ROOM #N')
  const room = name === undefined ? desk.room.id : roomNamed(desk, name)
  if (!isEntered(desk.chat, room)) throw new Error(whyNotEntered(desk, room))
  const wanted = Number(number)
  const isHere = room === desk.room.id
  const { seq, thread = null } = await (isHere ? find(desk, wanted, () => true) : fetched(desk, room, wanted))
  await desk.open(room, { thread, at: seq })
}

/** Without a connection nobody says whose rooms those are that are not known. */
function whyNotEntered({ chat, me }: Desk, room: string): string {
  const name = nameOf(room, me)
  const isOnline = chat.status.current.state === 'online'
  return isOnline ? `you are not in ${name}` : `${name} is not known here, and there is no connection`
}

function foundLine({ me }: Desk, message: Message): string {
  return `${nameOf(message.room, me)} ${listedLine(message)}`
}

function list(desk: Desk, lines: readonly string[], hasMore: boolean): void {
  desk.say([...lines, ...(hasMore ? ['(there are more)'] : [])].join('\n') || 'nothing found')
}
