/** The section `limits` of the configuration. */
import Type from 'typebox'
import { count, duration, optionalDuration, section } from './fields.js'

/** Rates per second; bursts may use ten seconds' worth at once. */
export interface RateFigures {
  /** Publishes of one user. */
  publish: number
  /** Bytes of these publishes, topic and properties included. */
  publishBytes: number
  /** Messages into one room. */
  room: number
  /** Requests of one user, by rate class. */
  read: number
  write: number
  create: number
  login: number
  /** Filters that one user subscribes to or unsubscribes from. */
  subscribe: number
}

export const RATES: RateFigures = {
  publish: 20_000,
  publishBytes: 16_777_216,
  room: 200_000,
  read: 2000,
  write: 2000,
  create: 100,
  login: 20,
  subscribe: 5000,
}

const figure = { type: 'number', exclusiveMinimum: 0, maximum: 1e9 }

export const limits = section('Limits on what one client can cost.', {
  payloadBytes: count(65536, 'Longest payload of a PUBLISH, and body of an HTTP request, in bytes.', 1, 268_435_455),
  propertyBytes: count(
    8192,
    'Bytes of the properties of an MQTT 5 message or will: user properties, response topic, correlation data, content type.',
    0,
  ),
  packetBytes: Type.Unsafe<number>({
    anyOf: [{ type: 'integer', minimum: 1024, maximum: 268_435_460 }, { enum: ['auto'] }],
    default: 'auto',
    description:
      'Longest packet, in bytes; a longer one closes the connection, except a PUBLISH before MQTT 5, which is refused. auto: the greater of payloadBytes and syncBytes, plus 128 kB.',
  }),
  topicAliases: count(
    32,
    'Topic aliases an MQTT 5 client may set, and the broker if the client allows them; 0: none.',
    0,
    65535,
  ),
  topicLevels: count(128, 'Deepest topic or filter, in levels; a deeper one is refused.', 4, 65535),
  inflight: count(32, 'Messages sent to a client and not yet acknowledged.', 1, 65535),
  receiveMaximum: count(
    65535,
    'Unacknowledged QoS 1 and 2 messages of a client. MQTT 5 clients are told, and disconnected beyond it; some clients ignore it and send their whole backlog at once.',
    1,
    65535,
  ),
  receiveBytes: count(
    1048576,
    'Bytes of publishes of one client not yet stored; beyond it its connection is read only as they are stored.',
  ),
  inboundQos2: count(1024, 'QoS 2 messages of a client without PUBREL; beyond it PUBRECs wait.', 1, 65535),
  queueMessages: count(
    1000,
    'Messages on plain topics kept for one session, and live messages waiting for its socket.',
  ),
  queueBytes: count(1048576, 'Bytes of the same.'),
  backlogBytes: count(
    16777216,
    'Bytes of the backlog (QoS 1 and 2 on plain topics) of a connected client that acknowledges, or at QoS 0 reads; from half of it on its publishers are read more slowly. 0: only the two above.',
    0,
  ),
  backlogTotalBytes: count(268435456, 'Bytes of the same for all clients of a node together.', 0),
  backlogWait: duration(
    '10s',
    'How long publishers are slowed for one client that does not catch up, and one publisher for all of them, before messages are dropped.',
  ),
  backlogStill: duration(
    '2s',
    'A client that has acknowledged nothing, or at QoS 0 read nothing, for that long has no such backlog, and slows nobody.',
  ),
  sessionExpiry: duration('30d', 'Maximum time a session outlives its connection.'),
  subscriptions: count(10000, 'Subscriptions of one session.'),
  filterBytes: count(1024, 'Longest filter, in bytes; a longer one is refused.', 64, 65535),
  subscriptionBytes: count(2097152, 'Bytes of all filters of one session, plus 64 per filter.', 4096),
  subscriptionBytesPerUser: count(
    33554432,
    'The same of all sessions of one user, disconnected ones included; for anonymous clients per session.',
    4096,
  ),
  connections: count(100000, 'Open connections of a node.'),
  httpConnections: count(20000, 'Open HTTP connections of a node, without WebSockets.'),
  httpConnectionsPerAddress: count(
    2000,
    'Of those, from one address (one /64 of IPv6); raise it for a proxy that sends no PROXY headers.',
  ),
  keepAlive: optionalDuration(
    null,
    'Longest keep alive of MQTT 5 clients: a client that asks for a longer one, or none, gets this one.',
  ),
  clientIdBytes: count(1024, 'Longest client id, in bytes.', 23, 65535),
  packetTimeout: duration('10m', 'Maximum time for one packet to arrive; until then its bytes count for keep alive.'),
  unreadTimeout: duration(
    '5m',
    'A client without keep alive that reads nothing of its backlog for that long is disconnected; others after one and a half of their keep alive.',
  ),
  keysPerUser: count(100, 'API keys of one user.'),
  keysPerBot: count(20, 'API keys of one bot or device.'),
  botsPerUser: count(20, 'Bots of one user; 0: only admins create bots, without a limit.', 0),
  eventStreams: count(20000, 'Event streams over HTTP of a node.'),
  eventStreamsPerUser: count(32, 'Of those, of one user.'),
  syncBytes: count(
    1_000_000,
    'Longest request of sync, in bytes, over MQTT and HTTP: it has the position of the client in each room.',
    1,
    268_435_455,
  ),
  sessionsPerUser: count(
    1000,
    'Persistent sessions of one user on all nodes, bots and devices included; not for anonymous clients. Each bot and device may have one.',
  ),
  anonymousSessions: count(
    10000,
    'Persistent sessions of anonymous clients; an existing one may always resume. A node does not count those that began on others since its start.',
    0,
  ),
  anonymousSessionsPerAddress: count(1000, 'Of those, created from one address (one /64 of IPv6).', 0),
  retainedMessagesPerUser: count(
    20000,
    'Messages one user, bots and devices included, may have retained on plain and device topics; anonymous clients count together.',
  ),
  retainedBytesPerUser: count(67108864, 'Bytes of the same.'),
  invitationsPerUser: count(10000, 'Pending invitations by one user, bots and devices included.'),
  asksPerPair: count(
    100,
    'Invitations, contact requests, shared and offered devices of one person to one user at once; about the same thing a twentieth of it. Regained in 1000 s.',
  ),
  roomsPerUser: count(10000, 'Rooms of one user, without direct conversations; existing memberships stay.'),
  liveSessionsPerUser: count(
    1000,
    'Connected sessions of one user on all nodes, bots and devices included; a stored session may always resume. Anonymous clients are not counted.',
  ),
  followedPerUser: count(
    500000,
    'Logs and live topics that the sessions of one user on a node follow together, bots and devices included: each room of rooms/# is five. Checked if one filter shows a thousand, and at joins.',
  ),
  replyBytes: count(
    262144,
    'Longest reply to a request, in bytes; lists and history are cut into pages of that size, with at least one entry.',
    4096,
  ),
  accountDataValues: count(200, 'Private values of one user (account.data.set).', 1, 10_000),
  accountDataValueBytes: count(16384, 'Bytes of one of them, as JSON.', 64),
  accountDataBytes: count(262144, 'Bytes of all of one user, with their names.', 64),
  savedMessages: count(1000, 'Messages that one user may save (saved.add).', 1, 10_000),
  unreadEntries: count(
    2000,
    'Newest messages examined for one count of unread messages; beyond it the answer says atLeast.',
  ),
  unreadBytes: count(33554432, 'Bytes of the same.', 65536),
  unreadMentions: count(10000, 'Newest messages with mentions examined for one count of mentions.'),
  keywordBytes: count(
    262144,
    'Bytes of the newest messages in which one count of what notifies looks for the keywords of the user.',
    4096,
  ),
  reactionsPerMessage: count(10000, 'Reactions to one message, by all users.'),
  rates: Type.Unsafe<'default' | 'off' | Partial<RateFigures>>({
    anyOf: [
      { enum: ['default', 'off'] },
      {
        type: 'object',
        additionalProperties: false,
        properties: Object.fromEntries(Object.keys(RATES).map((name) => [name, figure])),
      },
    ],
    default: 'default',
    description:
      'Token buckets of users with their bots and devices: default, off, or figures a second, such as { publish: 50, publishBytes: 65536, room: 500, read: 20, write: 20, create: 1, login: 1, subscribe: 500 }; ten seconds’ worth may come at once. Each node counts for itself.',
  }),
  typingPerSecond: count(5, 'Typing notices of one session a second; more are dropped.'),
  presencePerSecond: count(
    10,
    'Changes of status and devices of one user sent per second; of more the last one is sent later.',
  ),
})
