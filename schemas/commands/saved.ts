/** Messages that a user has saved for themselves. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, orNull, room, seq, time } from './parts.js'
import { LoggedMessage } from './shown-message.js'

const saved = {
  room: Type.String({ description: 'Room id.' }),
  seq: seq('The message.'),
  savedAt: time('When it was saved first.'),
  note: orNull(Type.String({ description: 'What the caller noted about it.' })),
}

export const SAVED_COMMANDS = {
  'saved.add': command({
    summary:
      'Saves a message for the caller, who is told of it on all devices; nobody else is. Repeating it changes the note alone. For members of the room.',
    params: object({
      room,
      seq: seq('The message.'),
      note: Type.Optional(
        orNull(
          Type.String({
            minLength: 1,
            maxLength: 500,
            description: 'What to note about it; null: nothing. Left out: what was noted before.',
          }),
        ),
      ),
    }),
    result: object(saved),
    rate: 'write',
    http: { method: 'PUT', path: '/saved/{room}/{seq}' },
  }),
  'saved.remove': command({
    summary: 'Saves a message no more. If it is not saved, nothing happens.',
    params: object({ room, seq: seq('The message.') }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/saved/{room}/{seq}' },
  }),
  'saved.list': command({
    summary:
      'The messages the caller has saved, the one saved last first, each as it is now, folded. While the caller is not in its room nothing of the message is shown.',
    params: object({
      room: Type.Optional({ ...room, description: 'Only those in this room; @user for the direct conversation.' }),
      cursor: Type.Optional(Type.String({ maxLength: 400, description: 'From the previous page.' })),
      limit: limit(50, 200),
    }),
    result: object({
      saved: Type.Array(
        object({
          ...saved,
          message: Type.Optional(LoggedMessage),
        }),
      ),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: where the next page begins.' })),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/saved', page: { items: 'saved' } },
  }),
} as const
