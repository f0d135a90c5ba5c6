/** What was done by those who may do more than others. */
import Type from 'typebox'
import { command, limit, more, object, orNull, seq, time } from './parts.js'

const by = (what: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 300, description: what }))

const Entry = object(
  {
    seq: seq('Its number in the log.'),
    id: Type.String({ description: 'UUIDv7 of the entry.' }),
    ts: time('When.'),
    actor: Type.String({ description: 'Who did it, a user id; system: on the command line.' }),
    address: orNull(Type.String({ description: 'From where; null: on the machine itself.' })),
    action: Type.String({
      description: 'A method, message.edit or message.delete, or what the command line was asked.',
    }),
    user: Type.Optional(Type.String({ description: 'To whom.' })),
    room: Type.Optional(Type.String({ description: 'In which room.' })),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'How; never secrets.' })),
    result: Type.Enum(['ok', 'forbidden'], { description: 'forbidden: it was tried, and refused.' }),
  },
  { title: 'AuditEntry', description: 'An administrative act.' },
)

export const AUDIT_COMMANDS = {
  'audit.list': command({
    summary: 'Administrative acts, ascending: the newest ones, or those before a seq. For admins.',
    params: object({
      before: Type.Optional(seq('Only entries below this seq.')),
      limit: limit(100, 1000),
      scope: Type.Optional(
        Type.Enum(['all', 'server'], {
          default: 'all',
          description: 'server: without what roles in rooms allow; what was done as an admin or on the machine.',
        }),
      ),
      actor: by('Only what this user did.'),
      user: by('Only what was done to this user.'),
      room: by('Only what was done in this room.'),
      action: by('Only acts of this name, such as rooms.ban.'),
    }),
    result: object({
      entries: Type.Array(Entry),
      more,
      before: Type.Optional(seq('To go on with; a page may have no entry that matches.')),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/audit', page: { items: 'entries', key: 'seq', back: true } },
  }),
} as const
