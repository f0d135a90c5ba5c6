/**
 * The configuration: every key with its type, default and description, once. `broker/config/config.ts` validates with this
 * schema, `config.yaml` shows its defaults, the docs are made from it. Durations are seconds once loaded.
 */
import Type, { type Static } from 'typebox'
import { auth } from './config/auth.js'
import { count, duration, flag, optionalDuration, optionalText, port, section } from './config/fields.js'
import { limits } from './config/limits.js'
import { media } from './config/media.js'
import { redis } from './config/redis.js'
import { Filter } from './moderation.js'
import { Policies } from './policies.js'
import { webhookFilters, webhookId, webhookSecret, webhookUrl } from './webhooks.js'

export { ConfigError } from './config/error.js'

const node = section('This broker process.', {
  id: Type.String({
    minLength: 1,
    default: 'auto',
    description: 'Name of this node, by which others show it; auto: host name and process id.',
  }),
  dataDir: Type.String({
    minLength: 1,
    default: './data',
    description: 'Directory of store, search index and secret. Relative to the working directory.',
  }),
  drain: section('How clients leave when the broker is stopped by SIGTERM.', {
    delay: duration(
      '0s',
      'How long clients are still accepted: what a load balancer needs to see that /readyz answers 503.',
    ),
    spread: duration('0s', 'Connections are closed one after the other over that time. 0: all at once.'),
    serverReference: optionalText(
      'Where MQTT 5 clients are sent, such as mqtt.example.com:1883: another server, or the load balancer. null: they are told that this one stops.',
    ),
  }),
})

const server = section('How the broker shows itself to users.', {
  name: Type.String({
    minLength: 1,
    maxLength: 128,
    default: 'TopicTalk',
    description: 'Name that clients show, as on a log-in page (server.info).',
  }),
  color: Type.Union([Type.String({ pattern: '^#[0-9a-fA-F]{6}$' }), Type.Null()], {
    default: null,
    description: 'Colour of buttons and links in clients (server.info), such as "#0b6e4f"; null: that of the client.',
  }),
  logo: optionalText(
    'Path of a picture that clients show beside the name (server.info): SVG, PNG, WebP or JPEG, up to 256 kB. null: none.',
  ),
})

const web = section('The web app: a chat in the browser, at the address of HTTP.', {
  enabled: flag(true, 'Browsers that open / get the app. false: a page that says how to connect.'),
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
    ca: optionalText('Path of the authorities of client certificates, PEM; see auth.x509.'),
    crl: optionalText('Path of the revocation lists of these authorities, PEM; one for each.'),
  }),
  proxyProtocol: flag(false, 'Expect a PROXY protocol header (v1 or v2) on every connection, from your load balancer.'),
  origins: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description:
      'Other origins whose pages may open a WebSocket and use HTTP, such as https://chat.example.com; "*": any.',
  }),
  connectTimeout: duration('10s', 'A connection that has not sent CONNECT by then is closed.'),
  wsPing: optionalDuration(
    '25s',
    'A silent WebSocket is pinged after that, and closed if it stays silent as long again.',
  ),
  eventPing: duration(
    '25s',
    'How often an idle event stream over HTTP gets a comment; one that is not read for that long is closed.',
  ),
  answerTimeout: duration('30s', 'An HTTP response of which nothing is read for that long is cut off.'),
  idleTimeout: duration(
    '75s',
    'An idle HTTP connection is closed after that. It should be longer than in proxies (mostly 60 s), which would otherwise use closed connections.',
  ),
  redirect: section('Redirects clients to another server: MQTT 5 clients are told which one, older ones are refused.', {
    to: optionalText('The other server, such as mqtt.example.com:1883; null: no redirect.'),
    permanent: flag(false, 'The move is permanent.'),
    when: Type.Enum(['always', 'full'], {
      default: 'always',
      description: 'always, or full: only while limits.connections is reached.',
    }),
  }),
})

const action = Type.Optional(
  Type.Enum(['publish', 'subscribe', 'all'], {
    description: 'What the rule is about; exactly one of allow and deny.',
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
  rules: Type.Array(rule, {
    default: [],
    description: 'The first matching rule decides; without one, access is denied.',
  }),
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
    'Rooms with more members show no presence, and typing as a number. For receipts see receipts.maxMembers.',
  ),
  list: Type.Array(room, {
    default: [{ id: 'lobby', access: 'public' }],
    description: 'Rooms created at the first start: { id, access, name?, topic? }.',
  }),
})

const store = section('Where data lives.', {
  driver: Type.Enum(['level', 'redis'], {
    default: 'level',
    description: 'level: embedded, in node.dataDir. redis: a Redis that several nodes may share.',
  }),
  level: section('The embedded store.', {
    sync: flag(
      true,
      'fsync before every acknowledgement. false: acknowledged messages survive a crash of the process, not of the machine.',
    ),
    cacheBytes: count(
      67108864,
      'Bytes of logs in memory: half for recently used chunks, half for the journal.',
      1048576,
    ),
    minFree: count(
      67108864,
      'Bytes of the disk to keep free: with less, writes are refused as unavailable; logins, reads and deletions go on. 0: no limit.',
      0,
    ),
    onDamage: Type.Enum(['stop', 'drop'], {
      default: 'stop',
      description: 'If its write-ahead log is damaged: stop, or drop what cannot be read; clients then start again.',
    }),
  }),
  redis,
})

const history = section('How long messages are kept. 0 keeps them forever.', {
  days: Type.Number({ minimum: 0, default: 0, description: 'Days a message is kept.' }),
  messages: count(0, 'Newest messages kept per room.', 0),
  editWindow: duration('0s', 'How long a message may be edited after it was sent; 0: no limit.'),
})

const presence = section('Who is online.', {
  offlineDelay: duration('10s', 'How long a user is disconnected before others see it.'),
  restartGrace: duration(
    '60s',
    'How long after a start, or after another node is gone, users may reconnect before they are shown as offline.',
  ),
})

const receipts = section('Receipts: what members have received and read.', {
  delivered: flag(true, 'Send receipts for delivery, from the acknowledgements of QoS 1 and 2.'),
  maxMembers: count(
    100,
    'Rooms with more members get no live receipts; read positions are stored and can be requested.',
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
  description:
    'Servers that events are posted to: { id, url, secret, events, rooms?, users?, direct?, previousSecret? }.',
})

const webhookDelivery = section('Delivery of webhooks.', {
  timeout: duration('10s', 'An attempt without an answer by then fails.'),
  attempts: count(12, 'Attempts before an event is given up and becomes a dead letter.', 1, 100),
  backoff: duration('5s', 'Wait after the first failure; it doubles with each, and up to half of it is random.'),
  maxBackoff: duration('1h', 'Longest wait, also if the receiver asks for a longer one.'),
  concurrency: count(8, 'Events delivered to one webhook at the same time, each of another log.', 1, 1000),
  deadLetters: count(1000, 'Dead letters kept per webhook; the oldest are dropped.', 1, 100_000),
  privateAddresses: flag(
    true,
    'Post to addresses of private networks and of this machine, too. Webhooks are created by admins.',
  ),
})

const notifications = section('Notifications to users.', {
  keep: count(1000, 'Newest notifications kept for one user.', 64),
  ttl: duration('90d', 'How long a notification is kept at most; 0: no limit.'),
})

const devices = section('Devices of users.', {
  register: Type.Enum(['user', 'admin'], {
    default: 'user',
    description: 'Who may create devices: every user, if auth.registration is open, or admins only.',
  }),
  perUser: count(100, 'Devices of one user.'),
})

const moderation = section('Moderation of messages.', {
  keepReports: duration('30d', 'How long a resolved report is kept, with its copy of the message.'),
  filters: Type.Array(Filter, {
    default: [],
    description: 'Filters for messages: { match, patterns, action, rooms? }. Applied in order.',
  }),
  webhook: section('A server of yours that is asked before a message is written.', {
    url: Type.Union([webhookUrl, Type.Null()], { default: null, description: 'The address of the server; null: off.' }),
    secret: Type.Union([webhookSecret, Type.Null()], {
      default: null,
      secret: true,
      description: 'The key of the signatures: whsec_ and 24 to 64 bytes in base64.',
    }),
    previousSecret: Type.Union([webhookSecret, Type.Null()], {
      default: null,
      secret: true,
      description: 'Signs too, while you change the secret.',
    }),
    timeout: duration('2s', 'A question without an answer by then fails.'),
    onFailure: Type.Enum(['allow', 'refuse'], {
      default: 'refuse',
      description: 'The message if the question fails: allow (it is written) or refuse.',
    }),
    rooms: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'Only messages of these rooms; empty: of all.',
    }),
    direct: flag(false, 'Messages of direct conversations too.'),
    concurrency: count(32, 'Questions at the same time; others wait, within their timeout.', 1, 10_000),
  }),
})

const audit = section('The log of administrative acts.', {
  days: Type.Number({ minimum: 0, default: 365, description: 'Days an act is kept; 0: forever.' }),
})

const search = section('Full-text search over the messages of rooms.', {
  enabled: flag(true, 'Keep an index of all messages, in node.dataDir. false: search answers that there is none.'),
  share: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.1,
    description:
      'Maximum share of one core for indexing while nobody searches; what a search needs is indexed at full speed.',
  }),
})

const log = section('The log: one JSON object per line; on a terminal, human-readable lines.', {
  level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
    default: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent.',
  }),
  format: Type.Enum(['auto', 'json', 'pretty'], {
    default: 'auto',
    description: 'json, pretty (human-readable), or auto: pretty on a terminal, json elsewhere.',
  }),
  output: Type.Enum(['stderr', 'stdout'], {
    default: 'stderr',
    description: 'Where it goes. What serve prints at its start and end goes to the other one.',
  }),
})

export const ConfigSchema = Type.Object(
  {
    node,
    server,
    web,
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
    media,
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
