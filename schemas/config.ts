/**
 * The configuration: every key with its type, default and description, once. `broker/config/config.ts` validates with this
 * schema, `config.yaml` shows its defaults, the docs are made from it. Durations are seconds once loaded.
 */
import Type, { type Static, type TProperties, type TSchemaOptions } from 'typebox'
import { Filter } from './moderation.js'
import { Policies } from './policies.js'

import { webhookFilters, webhookId, webhookSecret, webhookUrl } from './webhooks.js'

/** The configuration is wrong: one line per fault. */
export class ConfigError extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

function section<P extends TProperties>(description: string, properties: P) {
  return Type.Object(properties, { additionalProperties: false, default: {}, description })
}

/** `30`, `'30s'`, `'5m'`, `'12h'`, `'30d'`. */
export const DURATION = /^(\d+(?:\.\d+)?)(s|m|h|d)?$/

/** Seconds, or a string with a unit; a number of seconds in the loaded `Config`. */
function duration(fallback: string, description: string) {
  return Type.Unsafe<number>({
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1e10 },
      { type: 'string', pattern: DURATION.source },
    ],
    duration: true,
    default: fallback,
    description,
  })
}

/** As `duration`; null: none. */
function optionalDuration(fallback: string | null, description: string) {
  return Type.Unsafe<number | null>({
    anyOf: [
      { type: 'number', minimum: 0, maximum: 1e10 },
      { type: 'string', pattern: DURATION.source },
      { type: 'null' },
    ],
    duration: true,
    default: fallback,
    description,
  })
}

const flag = (fallback: boolean, description: string) => Type.Boolean({ default: fallback, description })

const count = (fallback: number, description: string, minimum = 1, maximum = Number.MAX_SAFE_INTEGER) =>
  Type.Integer({ minimum, maximum, default: fallback, description })

const port = (fallback: number | null, description: string) =>
  Type.Union([Type.Integer({ minimum: 0, maximum: 65535 }), Type.Null()], { default: fallback, description })

const optionalText = (description: string, options: TSchemaOptions = {}) =>
  Type.Union([Type.String({ minLength: 1 }), Type.Null()], { default: null, description, ...options })

const node = section('This broker process.', {
  id: Type.String({ minLength: 1, default: 'auto', description: 'Name of this node; auto makes one.' }),
  dataDir: Type.String({
    minLength: 1,
    default: './data',
    description: 'Where everything is kept: log, sessions, secret. Relative to the working directory.',
  }),
})

const listen = section('Where clients connect. A port of null switches a listener off, 0 takes any free port.', {
  host: Type.String({
    minLength: 1,
    default: '127.0.0.1',
    description: 'Address to listen on; 0.0.0.0 or :: for every interface.',
  }),
  mqtt: port(1883, 'MQTT over TCP.'),
  http: port(8080, 'HTTP, and MQTT over WebSocket at wsPath.'),
  wsPath: Type.String({ pattern: '^/', default: '/mqtt', description: 'Path of MQTT over WebSocket.' }),
  mqtts: port(null, 'MQTT over TLS; needs tls.'),
  https: port(null, 'HTTP and WebSocket over TLS; needs tls.'),
  tls: section('Certificate of the TLS listeners.', {
    cert: optionalText('Path of the certificate chain, PEM.'),
    key: optionalText('Path of the private key, PEM.'),
    ca: optionalText('Path of the authorities whose client certificates count, PEM; see auth.x509.'),
    crl: optionalText('Path of the revocation lists of these authorities, PEM; one for each.'),
  }),
  proxyProtocol: flag(false, 'Expect a PROXY protocol header (v1 or v2) on every connection, from your load balancer.'),
  origins: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description:
      'Origins whose pages may open a WebSocket and use the HTTP API, beside those of this very address, such as https://chat.example.com; "*": pages of any.',
  }),
  connectTimeout: duration('10s', 'A connection that has not sent CONNECT by then is closed.'),
  wsPing: optionalDuration(
    '25s',
    'A WebSocket silent for that long is pinged, and closed if it stays silent as long again.',
  ),
  eventPing: duration(
    '25s',
    'How often an idle event stream over HTTP gets a comment; a reader that takes nothing for that long is cut off.',
  ),
  answerTimeout: duration('30s', 'An HTTP answer of which nothing is taken for that long is cut off.'),
  idleTimeout: duration(
    '75s',
    'An HTTP connection without a request is closed after that; longer than proxies keep theirs (60 s mostly), or they meet closed ones.',
  ),
  redirect: section('Sends clients to another server: with a reason and its name from MQTT 5 on.', {
    to: optionalText('The other server, such as mqtt.example.com:1883; null: nobody is sent anywhere.'),
    permanent: flag(false, 'The move is for good: clients should not come back here.'),
    when: Type.Enum(['always', 'full'], {
      default: 'always',
      description: 'always, or full: only while limits.connections is reached.',
    }),
  }),
})

const auth = section('Who may log in.', {
  anonymous: flag(false, 'Let clients in without credentials, as the user anonymous: only acl.rules speak for it.'),
  registration: Type.Enum(['open', 'invite', 'closed'], {
    default: 'open',
    description: 'Who may make an account: open (anyone), invite (who has an invitation of an admin), or closed.',
  }),
  tokenTtl: duration('1h', 'How long an access token of auth.login lives.'),
  refreshTtl: duration('30d', 'How long a login goes on without being refreshed.'),
  refreshGrace: duration(
    '10s',
    'A refresh token may be shown again for that long after its first use, as by two windows at once; later that ends the login.',
  ),
  onRefused: Type.Enum(['ack', 'close'], {
    default: 'ack',
    description:
      'What a permanently refused publish gets before MQTT 5: an ack and an error reply, or a closed connection.',
  }),
  hooks: optionalText(
    'Path of a module exporting authenticate, authorizePublish or authorizeSubscribe; they only narrow.',
  ),
  hooksTimeout: duration('5s', 'A hook that has not answered by then denies.'),
  maxConcurrentHashes: count(2, 'Passwords hashed at the same time; more would delay log writes.', 1, 64),
  throttle: section('Failed password logins.', {
    attempts: count(10, 'Failures of one user from one address before logins are refused for a window, then doubling.'),
    addressAttempts: count(100, 'Failures from one address, whatever the user.'),
    accountAttempts: count(
      30,
      'Failures of one user in a window from wherever it did not log in before; more are slowed down to that many a window.',
    ),
    registrations: count(
      20,
      'Accounts asked for from one address, before more are refused for a window, then doubling.',
    ),
    window: duration('1m', 'How long failures are remembered, and the first refusal lasts.'),
  }),
  jwt: section('Tokens as passwords.', {
    secret: optionalText(
      'HS256 secret. With publicKey null too, the first start creates the file secret in the data directory.',
      {
        secret: true,
      },
    ),
    publicKey: optionalText('RSA, EC or Ed25519 public key, as PEM text or the path of a PEM file.'),
    jwks: optionalText(
      'URL of a JSON Web Key Set with the public keys of whoever signs tokens; https, or http on this machine.',
    ),
    jwksMaxAge: duration('10m', 'How long keys of jwks are used before they are asked for again.'),
    jwksCooldown: duration('30s', 'jwks is asked at most that often, whatever unknown keys tokens name.'),
    issuer: optionalText('Required iss claim.'),
    audience: optionalText('Required aud claim.'),
    userClaim: Type.String({ minLength: 1, default: 'sub', description: 'The claim that names the user.' }),
    leeway: duration(
      '5s',
      'How much later than here it may be where tokens are signed: one may begin (nbf) that much ahead.',
    ),
  }),
  oidc: section(
    'People of an identity provider log in with a browser (OpenID Connect, authorization code with PKCE).',
    {
      issuer: optionalText('The provider, such as https://id.example.com; null: none.'),
      clientId: optionalText('What the provider calls this broker.'),
      clientSecret: optionalText('What the broker proves that with; null: it is a public client.', { secret: true }),
      redirectUri: optionalText('Address of /v1/auth/oidc/callback as browsers see it; the provider has to know it.'),
      returnTo: Type.Array(Type.String({ minLength: 1 }), {
        default: [],
        description: 'Addresses that a login may lead back to, whole; the first is the one where none is asked for.',
      }),
      scopes: Type.Array(Type.String({ minLength: 1 }), { default: ['openid'], description: 'What is asked for.' }),
      userClaim: Type.String({ minLength: 1, default: 'sub', description: 'The claim that names the user.' }),
      rolesClaim: optionalText('The claim, a list, that gives the roles of the account; null: they stay as they are.'),
      linkExisting: flag(
        false,
        'An account there is already, with a password or not, may become that of whom the provider names so.',
      ),
    },
  ),
  x509: section('Client certificates of an authority of listen.tls.ca, at the TLS listeners.', {
    name: Type.Enum(['off', 'cn', 'email', 'dns'], {
      default: 'off',
      description:
        'What of a certificate is the user it logs in: cn (common name), email or dns (alternative names); off: none.',
    }),
    role: optionalText('Role of who logs in by certificate, beside those of the account, such as device.'),
    required: flag(false, 'No connection over TLS without a certificate that counts.'),
  }),
  http: section(
    'A backend of yours that says who someone is and what they may do. No answer, or a wrong one, denies.',
    {
      login: optionalText(
        'URL that is asked who someone is whom this broker does not know; https, or http on this machine.',
      ),
      publish: optionalText('URL that is asked who may publish what; it only narrows.'),
      subscribe: optionalText('URL that is asked who may subscribe to what; it only narrows.'),
      secret: Type.Union([webhookSecret, Type.Null()], {
        default: null,
        secret: true,
        description:
          'What requests are signed with, as webhooks are: whsec_ and 24 to 64 bytes in base64. Null: they are not signed.',
      }),
      timeout: duration('5s', 'An answer that has not come by then denies.'),
      cache: duration('60s', 'How long an answer counts; 0 asks every time.'),
      maxConcurrent: count(32, 'Requests under way at the same time; more wait, no longer than timeout.', 1, 1024),
    },
  ),
})

const action = Type.Optional(
  Type.Enum(['publish', 'subscribe', 'all'], {
    description: 'What the rule speaks about; exactly one of allow and deny.',
  }),
)

const rule = Type.Object(
  {
    allow: action,
    deny: action,
    who: Type.String({ minLength: 1, description: 'any, anonymous, user:NAME or role:NAME.' }),
    topics: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'Topic filters; {user} and {client} stand for the user and the client id.',
    }),
  },
  { additionalProperties: false },
)

const acl = section('Who may use devices/… and plain topics.', {
  rules: Type.Array(rule, { default: [], description: 'The first rule that matches decides; none denies.' }),
})

const room = Type.Object(
  {
    id: Type.String({ description: 'Room id.' }),
    access: Type.Enum(['public', 'private'], { default: 'public', description: 'public: anyone may join.' }),
    name: Type.Optional(Type.String({ description: 'Name to show.' })),
    topic: Type.Optional(Type.String({ description: 'What the room is about.' })),
  },
  { additionalProperties: false },
)

const rooms = section('Rooms.', {
  create: Type.Enum(['user', 'admin'], {
    default: 'user',
    description: 'Who may create rooms: every user, or admins only.',
  }),
  autoCreate: flag(false, 'Create an unknown room, public, on first use.'),
  maxMembers: count(100000, 'Members of one room.'),
  thinAbove: count(
    100,
    'Larger rooms are told of no presence, and of typing a number. Their receipts go by receipts.maxMembers.',
  ),
  list: Type.Array(room, {
    default: [{ id: 'lobby', access: 'public' }],
    description: 'Rooms made at the first start: { id, access, name?, topic? }.',
  }),
})

/** A second, on average; ten seconds' worth may come at once. */
export interface RateFigures {
  /** Publishes of one user. */
  publish: number
  /** Bytes of the same, as they come: topic and properties included. */
  publishBytes: number
  /** Messages into one room. */
  room: number
  /** Requests of one user, by what they cost. */
  read: number
  write: number
  create: number
  login: number
  /** Filters that one user subscribes to or gives up. */
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

const limits = section('Bounds on what one client can cost.', {
  payloadBytes: count(65536, 'Longest payload of a PUBLISH, and body of an HTTP request, in bytes.', 1, 268_435_455),
  propertyBytes: count(
    8192,
    'Bytes that the properties of an MQTT 5 message or will may take: user properties, response topic, correlation data, content type.',
    0,
  ),
  packetBytes: Type.Unsafe<number>({
    anyOf: [{ type: 'integer', minimum: 1024, maximum: 268_435_460 }, { enum: ['auto'] }],
    default: 'auto',
    description:
      'Longest packet, in bytes; a longer one closes the connection, but for a PUBLISH before MQTT 5, which is refused. auto: the greater of payloadBytes and syncBytes, and 128 kB more.',
  }),
  topicAliases: count(
    32,
    'Topic aliases an MQTT 5 client may set, and the broker where the client allows them; 0 switches them off.',
    0,
    65535,
  ),
  topicLevels: count(128, 'Deepest topic or filter, in levels; a deeper one is refused.', 4, 65535),
  inflight: count(32, 'Messages sent to a client and not yet acknowledged.', 1, 65535),
  receiveMaximum: count(
    65535,
    'QoS 1 and 2 messages a client may have unacknowledged. MQTT 5 clients are told, and cut off beyond it: some send all that gathered while they were away at once.',
    1,
    65535,
  ),
  receiveBytes: count(
    1048576,
    'Bytes of publishes of one client that are taken and not yet stored; beyond, its connection is read on only as they are.',
  ),
  inboundQos2: count(
    1024,
    'QoS 2 messages a client may leave without PUBREL; PUBRECs of more are withheld until there is room.',
    1,
    65535,
  ),
  queueMessages: count(
    1000,
    'Messages on plain topics kept for one session, and live messages waiting for its socket.',
  ),
  queueBytes: count(1048576, 'Bytes of the same.'),
  backlogBytes: count(
    16777216,
    'Bytes published at QoS 1 and 2 on plain topics that may wait for a connected client that acknowledges, or at QoS 0 reads; from half of it on its publishers are read more slowly. 0: no more than the two above.',
    0,
  ),
  backlogTotalBytes: count(268435456, 'Bytes of the same for all clients together.', 0),
  backlogWait: duration(
    '10s',
    'How long publishers are slowed for one client that does not catch up, and one publisher for all of them, before what does not fit is dropped.',
  ),
  backlogStill: duration(
    '2s',
    'A client that has acknowledged nothing for so long, or at QoS 0 read nothing, stands still: it has no such backlog, and nobody waits for it.',
  ),
  sessionExpiry: duration('30d', 'How long a session outlives its connection, at most.'),
  subscriptions: count(10000, 'Subscriptions of one session.'),
  filterBytes: count(1024, 'Longest filter, in bytes; a longer one is refused.', 64, 65535),
  subscriptionBytes: count(2097152, 'Bytes of all filters of one session, each with 64 more.', 4096),
  subscriptionBytesPerUser: count(
    33554432,
    'The same of all sessions of one user, those that are away included; anonymous is counted by session alone.',
    4096,
  ),
  connections: count(100000, 'Open connections.'),
  httpConnections: count(20000, 'Open HTTP connections; WebSockets are not among them.'),
  httpConnectionsPerAddress: count(
    2000,
    'Of those, from one address (one /64 of IPv6); raise it where a proxy without PROXY headers speaks for many.',
  ),
  keepAlive: optionalDuration(
    null,
    'Longest keep alive of MQTT 5 clients: those that ask for a longer one, or for none, are told this one.',
  ),
  clientIdBytes: count(1024, 'Longest client id, in bytes.', 23, 65535),
  packetTimeout: duration(
    '10m',
    'How long one packet may take to arrive: so long its bytes count as signs of life, for keep alive.',
  ),
  unreadTimeout: duration(
    '5m',
    'A client that takes nothing of what waits for it for that long is cut off if it has no keep alive; others after one and a half of that.',
  ),
  keysPerUser: count(100, 'API keys of one user.'),
  keysPerBot: count(20, 'API keys of one bot or device.'),
  botsPerUser: count(20, 'Bots of one user; 0: only admins make bots, as many as they like.', 0),
  eventStreams: count(20000, 'Event streams over HTTP.'),
  eventStreamsPerUser: count(32, 'Of those, of one user.'),
  syncBytes: count(
    1_000_000,
    'Longest request of sync, in bytes, through either door: it carries where a client is in each of its rooms.',
    1,
    268_435_455,
  ),
  sessionsPerUser: count(
    1000,
    'Sessions of one user, bots and devices included, that outlive their connection; anonymous has limits of its own. Each bot and device may have one.',
  ),
  anonymousSessions: count(
    10000,
    'Sessions of anonymous clients that outlive their connection; one that is there may always come back.',
    0,
  ),
  anonymousSessionsPerAddress: count(1000, 'Of those, made from one address (one /64 of IPv6).', 0),
  retainedMessagesPerUser: count(
    20000,
    'Messages one user, bots and devices included, may have retained on plain and device topics; anonymous clients count together.',
  ),
  retainedBytesPerUser: count(67108864, 'Bytes of the same.'),
  invitationsPerUser: count(
    10000,
    'Invitations of one user, bots and devices included, that stand at a time: who is invited has not come yet.',
  ),
  asksPerPair: count(
    100,
    'Invitations, contact requests, shared and offered devices of one person to one user at once; about the same thing a twentieth of it. They become free again in 1000 s.',
  ),
  roomsPerUser: count(
    10000,
    'Rooms one user is a member of, direct conversations not counted; who is in more stays in them, and joins none.',
  ),
  liveSessionsPerUser: count(
    1000,
    'Connected sessions of one user, with those of their bots and devices; a kept session may always come back. Anonymous is not counted.',
  ),
  followedPerUser: count(
    500000,
    'Logs and live topics that the sessions of one user follow together, with those of bots and devices: each room of rooms/# is five. Asked where one filter shows a thousand, and at joins.',
  ),
  replyBytes: count(
    262144,
    'Longest reply to a request, in bytes; lists and history are cut into pages of it, one entry at least.',
    4096,
  ),
  unreadEntries: count(
    2000,
    'Newest messages looked at for one count of unread ones; where that ends it, atLeast says so.',
  ),
  unreadBytes: count(33554432, 'Bytes of the same.', 65536),
  unreadMentions: count(10000, 'Newest messages with mentions looked at for one count of mentions.'),
  reactionsPerMessage: count(10000, 'Reactions to one message, of all users.'),
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
      'Token buckets of users with their bots and devices: default, off, or figures a second, such as { publish: 50, publishBytes: 65536, room: 500, read: 20, write: 20, create: 1, login: 1, subscribe: 500 }; ten seconds’ worth may come at once.',
  }),
  typingPerSecond: count(5, 'Typing notices of one session a second; more are dropped.'),
  presencePerSecond: count(
    10,
    'Changes of the status and the devices of one user that are told a second; of more the last one is, when there is room.',
  ),
})

const store = section('Where data lives.', {
  driver: Type.Enum(['level'], { default: 'level', description: 'level: embedded, in node.dataDir.' }),
  level: section('The embedded store.', {
    sync: flag(true, 'fsync before every ack. false survives a crash of the process, not of the machine.'),
    cacheBytes: count(
      67108864,
      'Bytes of logs kept in memory: half for what was read or written lately, half for what still lies in the journal.',
      1048576,
    ),
    minFree: count(
      67108864,
      'Bytes of its disk that stay free: below it what would be stored is refused as unavailable; logins, reads and deletions go on. 0: no bound.',
      0,
    ),
    onDamage: Type.Enum(['stop', 'drop'], {
      default: 'stop',
      description: 'When its log is damaged: stop and say so, or drop what cannot be read; clients then begin anew.',
    }),
  }),
})

const history = section('How long messages are kept. 0 keeps them forever.', {
  days: Type.Number({ minimum: 0, default: 0, description: 'Days a message is kept.' }),
  messages: count(0, 'Newest messages kept per room.', 0),
  editWindow: duration('0s', 'How long after it was sent a message may be edited; 0 sets no limit.'),
})

const presence = section('Who is online.', {
  offlineDelay: duration('10s', 'How long a user may be gone before others see it.'),
  restartGrace: duration('60s', 'How long after a start users may take to come back unnoticed.'),
})

const receipts = section('Who has got and read what.', {
  delivered: flag(true, 'Tell others what reached someone, from the acks of QoS 1 and 2.'),
  maxMembers: count(
    100,
    'Larger rooms are told nothing live; who has read what is kept all the same, and can be asked for.',
  ),
})

const webhook = Type.Object(
  {
    id: webhookId,
    url: webhookUrl,
    secret: webhookSecret,
    previousSecret: Type.Optional(webhookSecret),
    ...webhookFilters,
    rooms: Type.Optional(webhookFilters.rooms),
    users: Type.Optional(webhookFilters.users),
  },
  { additionalProperties: false },
)

const webhooks = Type.Array(webhook, {
  default: [],
  description: 'Where to tell what happens: { id, url, secret, events, rooms?, users?, direct?, previousSecret? }.',
})

const webhookDelivery = section('How webhooks are told.', {
  timeout: duration('10s', 'An attempt without an answer by then has failed.'),
  attempts: count(12, 'Attempts before an event is given up and kept among the deliveries.', 1, 100),
  backoff: duration(
    '5s',
    'Wait after the first failure; it doubles with each, and up to half of it is left to chance.',
  ),
  maxBackoff: duration('1h', 'Longest wait, also where the receiver asks for a longer one.'),
  concurrency: count(8, 'Events told to one webhook at the same time, each of another log.', 1, 1000),
  deadLetters: count(1000, 'Events kept that were given up, of each webhook; the oldest go.', 1, 100_000),
  privateAddresses: flag(
    true,
    'Post to addresses of private networks and of this machine, too. Webhooks are made by admins.',
  ),
})

const notifications = section('Notifications to users.', {
  keep: count(1000, 'Newest notifications kept for one user.', 64),
  ttl: duration('90d', 'Longest a notification is kept; 0 sets no limit.'),
})

const devices = section('Devices of users.', {
  register: Type.Enum(['user', 'admin'], {
    default: 'user',
    description: 'Who may make devices: every user, where auth.registration is open, or admins only.',
  }),
  perUser: count(100, 'Devices of one user.'),
})

const moderation = section('What messages may say and hold.', {
  keepReports: duration('30d', 'How long a resolved report is kept, with its copy of the message.'),
  filters: Type.Array(Filter, {
    default: [],
    description: 'What messages may not say: { match, patterns, action, rooms? }. One after another, for all alike.',
  }),
  webhook: section('A server of yours that is asked before a message is written.', {
    url: Type.Union([webhookUrl, Type.Null()], { default: null, description: 'Where to ask; null: nobody is asked.' }),
    secret: Type.Union([webhookSecret, Type.Null()], {
      default: null,
      secret: true,
      description: 'What questions are signed with: whsec_ and 24 to 64 bytes in base64.',
    }),
    previousSecret: Type.Union([webhookSecret, Type.Null()], {
      default: null,
      secret: true,
      description: 'Signs beside it, while you change it.',
    }),
    timeout: duration('2s', 'A question without an answer by then has failed.'),
    onFailure: Type.Enum(['allow', 'refuse'], {
      default: 'refuse',
      description: 'What becomes of a message when the question fails: allow (it is written) or refuse.',
    }),
    rooms: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Only messages of these rooms; empty: of all.',
    }),
    direct: flag(false, 'Messages of direct conversations too.'),
    concurrency: count(32, 'Questions at a time; others wait, within their timeout.', 1, 10_000),
  }),
})

const audit = section('The log of administrative acts.', {
  days: Type.Number({ minimum: 0, default: 365, description: 'Days an act is kept; 0 keeps them forever.' }),
})

const search = section('Full-text search over the messages of rooms.', {
  enabled: flag(true, 'Keep an index of all messages, in node.dataDir. false: search answers that there is none.'),
  share: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.1,
    description: 'Most of one core that indexing takes while nobody searches; what is asked for goes at full speed.',
  }),
})

const log = section('The log: one JSON object a line; on a terminal, lines for people.', {
  level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent.',
  }),
  format: Type.Enum(['auto', 'json', 'pretty'], {
    default: 'auto',
    description: 'json, pretty (lines for people), or auto: pretty on a terminal, json elsewhere.',
  }),
  output: Type.Enum(['stderr', 'stdout'], {
    default: 'stderr',
    description: 'Where it goes. What the broker says to who starts it goes to the other one.',
  }),
})

export const ConfigSchema = Type.Object(
  {
    node,
    listen,
    auth,
    acl,
    rooms,
    limits,
    store,
    history,
    presence,
    receipts,
    notifications,
    devices,
    search,
    moderation,
    policies: Policies,
    audit,
    webhooks,
    webhookDelivery,
    log,
  },
  { additionalProperties: false, default: {}, description: 'TopicTalk configuration.' },
)

export type Config = Static<typeof ConfigSchema>
/** One entry of `webhooks`. */
export type WebhookConfig = Static<typeof webhook>
/** One entry of `acl.rules`. */
export type AclRule = Static<typeof rule>
