/**
 * The configuration: every key with its type, default and description, once. `broker/config/config.ts` validates with this
 * schema, `config.yaml` shows its defaults, the docs are made from it. Durations are seconds once loaded.
 */
import Type, { type Static } from 'typebox'
import { auth } from './config/auth.js'
import { count, duration, flag, optionalDuration, optionalText, port, section } from './config/fields.js'
import { limits } from './config/limits.js'
import { Filter } from './moderation.js'
import { Policies } from './policies.js'
import { webhookFilters, webhookId, webhookSecret, webhookUrl } from './webhooks.js'

export { ConfigError } from './config/error.js'

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
