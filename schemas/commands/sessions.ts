/** Sessions of a user. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, orNull, time, user, was } from './parts.js'

/** The highest value that `limits.clientIdBytes` may have. */
const MAX_SESSION = 65_535
const session = Type.String({ description: 'MQTT client id.' })
const Session = object(
  {
    session,
    id: was('session', session),
    connected: Type.Boolean(),
    current: Type.Boolean({ description: 'Whether it is the session of the caller.' }),
    sameLogin: Type.Boolean({
      description:
        'Whether it is that, or one of the same login, as another tab of a browser. Of a session that another node serves and nobody keeps it is not known: false.',
    }),
    since: time('When the session began.'),
    lastSeen: orNull(time('When it was disconnected; null: it is connected, or unknown.')),
    via: orNull(Type.Enum(['mqtt', 'websocket'], { description: 'How it is connected.' })),
    protocol: orNull(Type.Enum(['3.1', '3.1.1', '5.0'], { description: 'Its version of MQTT.' })),
    address: orNull(Type.String({ description: 'The network address of the client.' })),
  },
  { title: 'Session', description: 'A session: connected, or kept until its client comes back.' },
)

const whose = Type.Optional({ ...user, description: 'The user; the caller if left out. Others are for admins.' })

export const SESSION_COMMANDS = {
  'sessions.list': command({
    summary: 'The sessions of the caller by client id; for admins those of anyone.',
    params: object({
      user: whose,
      after: Type.Optional(
        Type.String({ maxLength: MAX_SESSION, description: 'The last session of the previous page.' }),
      ),
      limit: limit(100, 1000),
    }),
    result: object({ sessions: Type.Array(Session), more }),
    rate: 'read',
    http: { method: 'GET', path: '/sessions', page: { items: 'sessions', key: 'session' } },
  }),
  'sessions.end': command({
    summary: 'Ends a session with its queue, and the login behind it: the device must log in again.',
    params: object({
      user: whose,
      session: Type.String({ minLength: 1, maxLength: MAX_SESSION, description: 'MQTT client id.' }),
    }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/sessions/{session}' },
  }),
  'sessions.endOthers': command({
    summary:
      'Ends all other logins of the caller with their tokens, and all sessions with their queues but that of the caller and those of the same login. API keys stay, and so do tokens that others have signed.',
    params: object({}),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/sessions' },
  }),
} as const
