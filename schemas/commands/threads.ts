/** Threads of a room: listing them, and following them. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, room, seq } from './parts.js'
import { LoggedMessage } from './shown-message.js'

/** Threads of a room that one member follows. */
export const MAX_FOLLOWED = 200

const thread = seq('The message that began the thread.')
const cursor = Type.Optional(Type.String({ maxLength: 400, description: 'From the previous page.' }))
const nextCursor = Type.Optional(Type.String({ description: 'With more: where the next page begins.' }))
const following = Type.Boolean({ description: 'Whether the caller follows it.' })

export const THREAD_COMMANDS = {
  'threads.list': command({
    summary:
      'The threads of a room that have replies, the one with the latest reply first: the messages that began them, folded. For members.',
    params: object({ room, cursor, limit: limit(20, 100) }),
    result: object({ threads: Type.Array(object({ message: LoggedMessage, following })), more, cursor: nextCursor }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/threads', page: { items: 'threads' } },
  }),
  'threads.followed': command({
    summary:
      'The threads the caller follows, by room and then by thread, with what the caller has not read of each. Those whose first message is not kept any more are left out.',
    params: object({ cursor, limit: limit(20, 100) }),
    result: object({
      threads: Type.Array(
        object({
          room: Type.String({ description: 'Room id.' }),
          thread,
          message: LoggedMessage,
          read: Type.Integer({ minimum: 0, description: 'seq of the last reply the caller has read.' }),
          unread: Type.Integer({ minimum: 0, maximum: 100, description: 'Replies of others since then; 100 or more.' }),
          mentions: Type.Integer({ minimum: 0, maximum: 100, description: 'Those that mention the caller or @room.' }),
          atLeast: Type.Optional(Type.Literal(true, { description: 'There may be more.' })),
        }),
      ),
      more,
      cursor: nextCursor,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/threads', page: { items: 'threads' } },
  }),
  'threads.follow': command({
    summary: `Follows a thread; at most ${MAX_FOLLOWED} in a room. Repeating it changes nothing. For members.`,
    params: object({ room, thread }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'PUT', path: '/rooms/{room}/threads/{thread}/following' },
  }),
  'threads.unfollow': command({
    summary: 'Follows a thread no more. For members.',
    params: object({ room, thread: seq('The message that began the thread.') }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/rooms/{room}/threads/{thread}/following' },
  }),
} as const
