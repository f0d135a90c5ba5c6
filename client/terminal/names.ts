/** Names that Tab completes, beside those that the client knows by itself: asked for when a room is opened. */
import { directPeer } from '../../schemas/ids.js'
import type { Chat, Room } from '../node/index.js'
import { COMMANDS, commandNamed } from './commands.js'
import type { Candidates } from './completion.js'
import { pathsFrom } from './paths.js'
import { nameOf } from './rooms.js'

type NamesChat = Pick<Chat, 'ask' | 'rooms' | 'contacts' | 'invitations'>

/** Public rooms that are known. */
const MOST = 500

export class Names {
  readonly #chat: NamesChat
  readonly #me: string
  /** Commands of bots by room, without the slash. */
  readonly #botCommands = new Map<string, readonly string[]>()
  #publicRooms: readonly string[] = []

  constructor(chat: NamesChat, me: string) {
    this.#chat = chat
    this.#me = me
  }

  botCommands(room: string): readonly string[] {
    return this.#botCommands.get(room) ?? []
  }

  /** To be called when a room is opened. Without an answer what is known is that of before. */
  async learn(room: string): Promise<void> {
    const { ask } = this.#chat
    const [slash, listed] = await Promise.all([
      ask.slash.list({ room }).catch(() => null),
      ask.rooms.list({ scope: 'public', limit: MOST }).catch(() => null),
    ])
    const commands = slash?.commands.map(({ name }) => name)
    if (commands) this.#botCommands.set(room, commands)
    this.#publicRooms = listed?.rooms.map(({ id }) => id) ?? this.#publicRooms
  }

  /** What fits a line that is typed in this room. */
  candidates(room: Room): Candidates {
    const { rooms, contacts, invitations } = this.#chat
    const mine = rooms.current.map((one) => one.room)
    const peers = mine.flatMap((one) => directPeer(one, this.#me) ?? [])
    const people = [...peers, ...contacts.current.map(({ user }) => user)]
    const invited = invitations.current.map((one) => one.room)
    return {
      commands: [...Object.keys(COMMANDS), ...this.botCommands(room.id)],
      users: unique([...room.members.current.list.map(({ user }) => user), ...people]),
      rooms: unique([
        ...[...mine, ...invited, ...this.#publicRooms].map((one) => nameOf(one, this.#me)),
        ...people.map((user) => `@${user}`),
      ]),
      follows: (name) => commandNamed(name)?.completes,
      paths: pathsFrom,
    }
  }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)]
}
