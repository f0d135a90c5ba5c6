/** What a client has to know of a broker before anyone logs in. */
import Type from 'typebox'
import { Policies } from '../policies.js'
import { command, object, orNull } from './parts.js'

const bytes = (description: string) => Type.Integer({ minimum: 1, description })
const count = (description: string) => Type.Integer({ minimum: 0, description })

const login = object(
  {
    registration: Type.Enum(['open', 'invite', 'closed'], {
      description: 'Who may create an account (auth.register): anyone, who has an invitation, nobody.',
    }),
    totp: Type.Boolean({ description: 'Whether accounts may have an authenticator app as a second factor.' }),
    oidc: orNull(
      object(
        {
          start: Type.String({ description: 'Path at which a browser begins it.' }),
          name: orNull(Type.String({ description: 'What people call the provider; null: it was not said.' })),
        },
        { description: 'Login at an identity provider; null: there is none.' },
      ),
    ),
    anonymous: Type.Boolean({ description: 'Whether clients may connect without an account, for plain topics.' }),
  },
  { description: 'How one logs in.' },
)

const limits = object(
  {
    payloadBytes: bytes('Longest message or request.'),
    syncBytes: bytes('Longest request of sync.'),
    replyBytes: bytes('Longest reply.'),
    clientIdBytes: bytes('Longest MQTT client id.'),
    filterBytes: bytes('Longest topic filter.'),
    subscriptions: count('Subscriptions of a session.'),
    editWindow: count('Seconds for which a message may be edited; 0: always.'),
    reactionsPerMessage: count('Reactions to one message.'),
    typingPerSecond: count('Typing notices of a session a second.'),
    fileBytes: count('Bytes of one file; 0: files cannot be uploaded.'),
  },
  { description: 'Limits that concern clients.' },
)

const features = object(
  {
    search: Type.Boolean({ description: 'Whether messages can be searched.' }),
    delivered: Type.Boolean({ description: 'Whether the broker tells what was delivered.' }),
    createRooms: Type.Enum(['user', 'admin'], { description: 'Who creates rooms.' }),
    autoCreate: Type.Boolean({ description: 'Whether a room is made when it is first used.' }),
    registerDevices: Type.Enum(['user', 'admin'], { description: 'Who registers devices.' }),
  },
  { description: 'What there is.' },
)

const { attachments, ...others } = Policies.properties
/** All of it is there: only a configuration leaves parts to their defaults. */
const policies = object(
  { ...others, attachments: object(attachments.properties, { description: 'Rules for attachments.' }) },
  { description: 'What messages may hold; a room can restrict more.' },
)

export const SERVER_COMMANDS = {
  'server.info': command({
    summary: 'What a client has to know of the broker, such as for a log-in page. For everyone.',
    params: object({}),
    result: object({
      name: Type.String({ description: 'Name to show (server.name).' }),
      color: orNull(
        Type.String({ description: 'Colour to show (server.color), as #rrggbb; null: that of the client.' }),
      ),
      logo: orNull(Type.String({ description: 'Path of a picture to show beside the name; null: there is none.' })),
      version: Type.String({ description: 'Version of TopicTalk.' }),
      wsPath: Type.String({ description: 'Path of MQTT over WebSocket, at the address of HTTP.' }),
      login,
      limits,
      features,
      policies,
    }),
    rate: 'read',
    open: true,
    http: { method: 'GET', path: '/server' },
  }),
} as const
