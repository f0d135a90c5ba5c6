/** The audit log of administrative acts. */
import Type from 'typebox'
import { command, limit, more, object, orNull, seq, time } from './parts.js'

const by = (what: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 300, description: what }))

const Entry = object(
  {
    seq: seq('Its number in the log.'),
    id: Type.String({ description: 'UUIDv7 of the entry.' }),
    ts: time('When.'),
    actor: Type.String({ description: 'Who did it, a user id; system: the command line.' }),
    address: orNull(Type.String({ description: 'The network address; null: the machine of the broker.' })),
    action: Type.String({
      description: 'A method, message.edit, message.delete, or a command of the command line.',
    }),
    user: Type.Optional(Type.String({ description: 'To whom.' })),
    room: Type.Optional(Type.String({ description: 'The room.' })),
    details: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'Parameters of the act; never secrets.' }),
    ),
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
          description: 'server: only what was done as an admin or on the command line, without acts by roles in rooms.',
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
      before: Type.Optional(seq('Where the next page begins; a page may have no matching entry.')),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/audit', page: { items: 'entries', key: 'seq', back: true } },
  }),
} as const
