/** Reports of messages and users to moderators. */
import Type from 'typebox'
import { command, limit, more, object, orNull, room, seq, time, user, was } from './parts.js'

const REPORT_REASONS = ['spam', 'harassment', 'inappropriate', 'illegal', 'other'] as const

const words = (description: string) => Type.String({ minLength: 1, maxLength: 1000, description })
const status = Type.Enum(['open', 'resolved'])
const action = Type.Enum(['dismiss', 'delete', 'mute', 'ban'], {
  description: 'dismiss: nothing. delete: the message is deleted. mute, ban: the user is muted or banned in the room.',
})

const report = Type.String({ description: 'UUIDv7 of the report.' })

const Report = object(
  {
    report,
    id: was('report', report),
    by: Type.String({ description: 'Who reports, a user id; system: a filter.' }),
    room: orNull(Type.String({ description: 'The room; null: none.' })),
    seq: orNull(seq('The message; null: the user is reported.')),
    user: Type.String({ description: 'The reported user: the author of the message.' }),
    reason: Type.Enum([...REPORT_REASONS, 'automatic']),
    text: orNull(Type.String({ description: 'The comment of the reporter.' })),
    at: time('When.'),
    status,
    resolution: orNull(
      object({
        by: Type.String({ description: 'Who resolved it, a user id.' }),
        at: time('When.'),
        action,
        note: orNull(Type.String({ description: 'A note for moderators.' })),
      }),
    ),
  },
  { title: 'Report', description: 'A report of a message or a user.' },
)

const ReportWithMessage = object(
  {
    ...Report.properties,
    message: orNull(
      Type.Object({}, { additionalProperties: true, description: 'The message as it was when it was reported.' }),
    ),
  },
  { title: 'ReportWithMessage', description: 'A report, as moderators see it.' },
)

export const REPORT_COMMANDS = {
  'reports.create': command({
    summary:
      'Reports a message (room and seq) or a user, in a room or in general, to the moderators. A repeated report changes nothing. For members of the room.',
    params: object({
      room: Type.Optional(room),
      seq: Type.Optional(seq('The message.')),
      user: Type.Optional(user),
      reason: Type.Enum([...REPORT_REASONS], { description: 'What is wrong with it.' }),
      text: Type.Optional(words('A comment.')),
    }),
    result: Report,
    rate: 'create',
    http: { method: 'POST', path: '/reports', status: 201 },
  }),
  'reports.list': command({
    summary:
      'Reports, the oldest first: of a room, for its moderators and above; of all rooms, conversations and users, for admins.',
    params: object({
      room: Type.Optional(room),
      status: Type.Optional(Type.Enum(['open', 'resolved'], { default: 'open', description: 'Which of them.' })),
      after: Type.Optional(Type.String({ maxLength: 64, description: 'The last report of the previous page.' })),
      limit: limit(50, 1000),
    }),
    result: object({ reports: Type.Array(ReportWithMessage), more }),
    rate: 'read',
    http: { method: 'GET', path: '/reports', page: { items: 'reports', key: 'report' } },
  }),
  'reports.resolve': command({
    summary:
      'Resolves a report by an action, and closes all open reports of the same message or user. For those who may see it and may do the action.',
    params: object({
      report: Type.String({ minLength: 1, maxLength: 64, description: 'The report.' }),
      action,
      for: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          maximum: 1e10,
          description: 'Seconds of a mute or a ban; left out: without end.',
        }),
      ),
      note: Type.Optional(words('A note for moderators.')),
    }),
    result: Report,
    rate: 'write',
    audit: ['report', 'action', 'for', 'note'],
    http: { method: 'POST', path: '/reports/{report}/resolve' },
  }),
} as const
