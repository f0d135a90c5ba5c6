/** The devices a user is connected with, or was. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, orNull, time, user, was } from './parts.js'

/** As long as `limits.clientIdBytes` can let one be. */
const MAX_SESSION = 65_535
const session = Type.String({ description: 'MQTT client id.' })
const Session = object(
  {
    session,
    id: was('session', session),
    connected: Type.Boolean(),
    current: Type.Boolean({ description: 'It is the one that asks.' }),
    since: time('When the session began.'),
    lastSeen: orNull(time('When it was disconnected; null: it is connected, or nobody knows.')),
    via: orNull(Type.Enum(['mqtt', 'websocket'], { description: 'How it is connected.' })),
    protocol: orNull(Type.Enum(['3.1', '3.1.1', '5.0'], { description: 'Its version of MQTT.' })),
    address: orNull(Type.String({ description: 'Where it is connected from.' })),
  },
  { title: 'Session', description: 'A session: connected, or kept until its client comes back.' },
)

const whose = Type.Optional({ ...user, description: 'Whose; the asker’s own if left out. Others are for admins.' })

export const SESSION_COMMANDS = {
  'sessions.list': command({
    summary: 'The sessions of the asker by client id, or for admins those of anyone.',
    params: object({
      user: whose,
      after: Type.Optional(
        Type.String({ maxLength: MAX_SESSION, description: 'The last session of the page before.' }),
      ),
      limit: limit(100, 1000),
    }),
    result: object({ sessions: Type.Array(Session), more }),
    rate: 'read',
    http: { method: 'GET', path: '/sessions', page: { items: 'sessions', key: 'session' } },
  }),
  'sessions.end': command({
    summary: 'Ends a session with all it holds, and the login behind it: its device has to log in anew.',
    params: object({
      user: whose,
      session: Type.String({ minLength: 1, maxLength: MAX_SESSION, description: 'MQTT client id.' }),
    }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/sessions/{session}' },
  }),
} as const
