/** What users tell those who moderate of messages and of each other. */
import Type from 'typebox'
import { command, limit, more, object, orNull, room, seq, time, user, was } from './parts.js'

const REPORT_REASONS = ['spam', 'harassment', 'inappropriate', 'illegal', 'other'] as const

const words = (description: string) => Type.String({ minLength: 1, maxLength: 1000, description })
const status = Type.Enum(['open', 'resolved'])
const action = Type.Enum(['dismiss', 'delete', 'mute', 'ban'], {
  description: 'dismiss: nothing. delete: the message is removed. mute, ban: the user is, in the room.',
})

const report = Type.String({ description: 'UUIDv7 of the report.' })

const Report = object(
  {
    report,
    id: was('report', report),
    by: Type.String({ description: 'Who reports, a user id; system: a filter.' }),
    room: orNull(Type.String({ description: 'Where; null: nowhere in particular.' })),
    seq: orNull(seq('The message; null: it is about the user.')),
    user: Type.String({ description: 'Who is reported: the author of the message.' }),
    reason: Type.Enum([...REPORT_REASONS, 'automatic']),
    text: orNull(Type.String({ description: 'What the reporter says.' })),
    at: time('When.'),
    status,
    resolution: orNull(
      object({
        by: Type.String({ description: 'Who resolved it, a user id.' }),
        at: time('When.'),
        action,
        note: orNull(Type.String({ description: 'For those who moderate.' })),
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
  { title: 'ReportWithMessage', description: 'A report, as those who moderate see it.' },
)

export const REPORT_COMMANDS = {
  'reports.create': command({
    summary:
      'Reports a message (room and seq) or a user, in a room or at large, to those who moderate. Twice is once. For members of the room.',
    params: object({
      room: Type.Optional(room),
      seq: Type.Optional(seq('The message.')),
      user: Type.Optional(user),
      reason: Type.Enum([...REPORT_REASONS], { description: 'What is wrong with it.' }),
      text: Type.Optional(words('More about it.')),
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
      after: Type.Optional(Type.String({ maxLength: 64, description: 'The last report of the page before.' })),
      limit: limit(50, 1000),
    }),
    result: object({ reports: Type.Array(ReportWithMessage), more }),
    rate: 'read',
    http: { method: 'GET', path: '/reports', page: { items: 'reports', key: 'report' } },
  }),
  'reports.resolve': command({
    summary:
      'Does what a report asks for, and closes all open reports of the same. For who may see it, as far as they may do that.',
    params: object({
      report: Type.String({ minLength: 1, maxLength: 64, description: 'The report.' }),
      action,
      for: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          maximum: 1e10,
          description: 'Seconds of a mute or a ban; left out: for good.',
        }),
      ),
      note: Type.Optional(words('For those who moderate.')),
    }),
    result: Report,
    rate: 'write',
    audit: ['report', 'action', 'for', 'note'],
    http: { method: 'POST', path: '/reports/{report}/resolve' },
  }),
} as const
