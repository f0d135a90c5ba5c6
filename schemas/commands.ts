/** The requests a client can make, with their parameters: the contract behind `users/{me}/requests/{method}`. */
import Type, { type Static, type TProperties } from 'typebox'

const object = <P extends TProperties>(properties: P) => Type.Object(properties, { additionalProperties: false })

/** A room id, `dm:{a}:{b}`, or `@user` for the direct conversation with that user. */
const room = Type.String({ minLength: 1, maxLength: 300 })
const user = Type.String({ minLength: 1, maxLength: 128 })
const limit = (fallback: number, maximum: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum, default: fallback }))
const text = (maxLength: number) => Type.Optional(Type.Union([Type.String({ maxLength }), Type.Null()]))
const access = Type.Optional(Type.Enum(['public', 'private']))
const role = Type.Enum(['owner', 'admin', 'moderator', 'member', 'reader'])

export const COMMANDS = {
  'rooms.create': object({ room, access, name: text(128), topic: text(1024), avatar: text(2048) }),
  /** With `user` and `role` it sets a member's role instead. */
  'rooms.update': object({
    room,
    access,
    name: text(128),
    topic: text(1024),
    avatar: text(2048),
    user: Type.Optional(user),
    role: Type.Optional(role),
  }),
  'rooms.delete': object({ room }),
  'rooms.join': object({ room }),
  'rooms.leave': object({ room }),
  'rooms.invite': object({ room, user }),
  'rooms.remove': object({ room, user }),
  /** Pages by user name: ask again with `after` set to the last one. */
  'rooms.members': object({ room, after: Type.Optional(user), limit: limit(100, 1000) }),
  /** `joined` (the default): the rooms you are in. `public`: those anyone may join. */
  'rooms.list': object({
    scope: Type.Optional(Type.Enum(['joined', 'public'])),
    after: Type.Optional(room),
    limit: limit(100, 1000),
  }),
  history: object({
    room,
    /** `raw`, the default: the log as it is. `folded`: messages as they are now, with their edits, reactions and pins. */
    view: Type.Optional(Type.Enum(['raw', 'folded'])),
    /** The replies in a thread, by the message that began it. */
    thread: Type.Optional(Type.Integer({ minimum: 1 })),
    /** The pinned messages. */
    pinned: Type.Optional(Type.Literal(true)),
    before: Type.Optional(Type.Integer({ minimum: 1 })),
    after: Type.Optional(Type.Integer({ minimum: 0 })),
    limit: limit(50, 1000),
    maxBytes: Type.Optional(Type.Integer({ minimum: 1, default: 65536 })),
  }),
} as const

export type CommandName = keyof typeof COMMANDS
export type CommandParams<N extends CommandName> = Static<(typeof COMMANDS)[N]>

/** Named in the contract and not built yet: they answer `not_implemented`. */
export const PLANNED_COMMANDS: ReadonlySet<string> = new Set(['sync', 'auth.refresh', 'sessions.list', 'sessions.end'])

export const MAX_REQUEST_ID = 128
