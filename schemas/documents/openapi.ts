/** The OpenAPI 3.1 document of the HTTP API, generated from the table of commands. */
import Type from 'typebox'
import { API, COMMANDS, type Command, EXPORTS, type HttpRoute } from '../commands.js'
import { Problem } from '../problem.js'
import { Components, type Json } from './components.js'
import { exampleObject, exampleOf } from './examples.js'
import { MEDIA_ROUTES } from './media.js'
import { OIDC_CALLBACK, OIDC_START } from './oidc.js'
import { REFUSALS } from './refusals.js'
import { type RouteDeps, routeDeps, subjectOf } from './routes.js'

const DESCRIPTION = `Every request a client can publish over MQTT is a route here too, with the same parameters, checks and results.

Log in with the token or the password that MQTT takes. Errors are problem documents (RFC 9457) with the codes of replies over MQTT.
A parameter that is not known is an error that names it.`

/** Descriptions of the tags. */
const TAGS: Readonly<Record<string, string>> = {
  accounts: 'Accounts of all users, for admins: creation, roles, suspension.',
  account: 'The caller’s account: private data, deletion, and export of its data.',
  audit: 'Administrative acts, for admins.',
  auth: 'Logins: accounts, tokens, passwords, second factors.',
  blocks: 'The block list.',
  bots: 'Accounts of programs, owned by users.',
  broadcast: 'Announcements to all users, or to some roles.',
  broker: 'The broker itself.',
  contacts: 'Users who see each other’s presence.',
  devices: 'Devices: owners, shares, commands and their outcome.',
  events: 'Live events.',
  files: 'Files that users upload and attach to messages.',
  filters: 'Word and pattern filters for messages, for admins.',
  keys: 'API keys of programs.',
  mentions: 'Messages that mention a user.',
  messages: 'Sending, reading, searching, counting and catching up.',
  notifications: 'Notifications of a user, and their state.',
  privacy: 'Who may write, see presence and receipts, and invite.',
  reports: 'Reports of messages and users.',
  rooms: 'Rooms: members, roles, settings, entry.',
  saved: 'Messages that a user has saved for themselves.',
  server: 'What the broker is and allows.',
  sessions: 'MQTT sessions of a user, connected or not.',
  slash: 'Slash commands of bots.',
  threads: 'Threads of rooms, and which of them a user follows.',
  users: 'Profiles, and finding people.',
  webhooks: 'Webhooks: servers that events are posted to.',
}

export function openApi(version: string): Json {
  const components = new Components('#/components/schemas/')
  const table = Object.entries(COMMANDS as Record<string, Command>)
  const paths: Record<string, Json> = {}
  const add = (path: string, method: string, operation: Json): void => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: operation }
  }
  for (const [name, command] of table)
    if (command.http)
      add(`${API}${command.http.path}`, command.http.method, operation(name, command, command.http, components))
  add(`${API}/events`, 'get', EVENTS)
  add(`${API}${EXPORTS}/{ticket}`, 'get', EXPORT)
  for (const [path, method, route] of MEDIA_ROUTES) add(path, method, route)
  add(`${API}/auth/oidc/start`, 'get', OIDC_START)
  add(`${API}/auth/oidc/callback`, 'get', OIDC_CALLBACK)
  add('/healthz', 'get', health('healthz', 'Whether the broker can serve: 200, or 503.'))
  add('/readyz', 'get', health('readyz', 'Whether it takes new clients: 200, or 503, as when it is about to stop.'))
  const problem = components.use(Problem)
  const tags = [...new Set(table.filter(([, { http }]) => http).map(([name]) => subjectOf(name)))]
  return {
    openapi: '3.1.0',
    info: { title: 'TopicTalk', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: [...tags, 'events', 'broker'].map((name) => ({ name, description: TAGS[name] })),
    security: [{ token: [] }, { password: [] }],
    paths,
    components: {
      securitySchemes: SECURITY,
      responses: { Refused: refused(problem) },
      schemas: components.all(),
    },
  }
}

const SECURITY = {
  token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token that MQTT takes as a password.' },
  password: {
    type: 'http',
    scheme: 'basic',
    description: 'An account, for scripts: each request costs a password hash.',
  },
}

function health(operationId: string, summary: string): Json {
  return {
    operationId,
    summary,
    tags: ['broker'],
    security: [],
    responses: {
      '200': {
        description: 'It does.',
        content: { 'application/json': { schema: { type: 'object', properties: { status: { const: 'ok' } } } } },
      },
      ...REFUSALS,
    },
  }
}

const EVENTS = {
  operationId: 'events',
  summary: 'A live stream of what the filters match, as server-sent events.',
  description:
    'Each event is `{"topic", "message"}`, or `{"topic", "text"}` or `{"topic", "base64"}` where the payload is not made by the broker; ' +
    '`"retained": true` on what was there before. An event `gap` with `{"topic", "after", "next"}` tells of what is not replayed. ' +
    'Comes back with `Last-Event-ID` after a break, and gets what it missed.',
  tags: ['events'],
  parameters: [
    {
      name: 'filter',
      in: 'query',
      required: false,
      description:
        'A topic filter; may be given several times. {me} stands for the user. Default: rooms/+/messages and users/{me}/#.',
      schema: { type: 'array', items: { type: 'string' } },
    },
    header('Last-Event-ID', 'id of the last event received.'),
    {
      name: 'access_token',
      in: 'query',
      required: false,
      description: 'A token, for clients that can set no header.',
      schema: { type: 'string' },
    },
  ],
  responses: {
    '200': { description: 'The stream.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
    ...REFUSALS,
  },
}

const EXPORT = {
  operationId: 'exports',
  summary: 'Downloads the zip file of an account.export link. Works once, without a login.',
  tags: ['account'],
  security: [],
  parameters: [{ name: 'ticket', in: 'path', required: true, description: 'Of the link.', schema: { type: 'string' } }],
  responses: {
    '200': {
      description: 'The file.',
      content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } },
    },
    ...REFUSALS,
  },
}

function refused(schema: Json): Json {
  return {
    description: 'Why not.',
    headers: {
      'Retry-After': { description: 'Seconds to wait before trying again.', schema: { type: 'integer' } },
      'WWW-Authenticate': { description: 'With 401: how to log in.', schema: { type: 'string' } },
    },
    content: {
      'application/problem+json': {
        schema,
        example: {
          title: 'the request is not valid',
          status: 400,
          code: 'bad_request',
          detail: 'limit must be >= 1',
          field: 'limit',
        },
      },
    },
  }
}

function operation(name: string, command: Command, http: HttpRoute, components: Components): Json {
  const deps = routeDeps(command, http)
  const body = requestBody(command, deps, components)
  return {
    operationId: name,
    summary: command.summary,
    description: `Over MQTT: \`users/{me}/requests/${name}\`.`,
    tags: [subjectOf(name)],
    ...(command.open ? { security: [] } : {}),
    parameters: parameters(deps, http, components),
    ...(body ? { requestBody: body } : {}),
    responses: {
      [http.status ?? 200]: success(command, http, components),
      ...(http.method === 'GET' ? { '304': { description: 'What If-None-Match names is still the answer.' } } : {}),
      ...REFUSALS,
    },
  }
}

function parameters({ path, query, required, idempotent }: RouteDeps, http: HttpRoute, components: Components): Json[] {
  const parameter = (place: string) => (one: [string, Parameters<Components['use']>[0]]) => {
    const { description, deprecated, ...schema } = components.use(one[1])
    const about = { name: one[0], in: place, required: place === 'path' || required.has(one[0]), description }
    return { ...about, ...(deprecated ? { deprecated } : {}), schema }
  }
  const headers: Json[] = []
  if (idempotent)
    headers.push(header('Idempotency-Key', 'Used as cid: a retry with the same key returns the first result.'))
  if (http.method === 'GET') headers.push(header('If-None-Match', 'ETag of an earlier answer.'))
  return [...Object.entries(path).map(parameter('path')), ...Object.entries(query).map(parameter('query')), ...headers]
}

function header(name: string, description: string): Json {
  return { name, in: 'header', required: false, description, schema: { type: 'string' } }
}

function requestBody(command: Command, { body, path, required }: RouteDeps, components: Components): Json | null {
  if (Object.keys(body).length === 0) return null
  const schema = Type.Object(body, { additionalProperties: false })
  const example = Object.entries(exampleObject(command.params)).filter(([key]) => !(key in path))
  return {
    required: Object.keys(body).some((key) => required.has(key)),
    content: { 'application/json': { schema: components.use(schema), example: Object.fromEntries(example) } },
  }
}

const COOKIE_HEADER: Readonly<Record<NonNullable<HttpRoute['cookie']>, string>> = {
  sets: 'With `cookie`: the refresh token.',
  renews: 'If the token came in a cookie, or with `cookie`: the next refresh token.',
  clears: 'Deletes the cookie that has the refresh token of this login.',
}

function success({ result }: Command, http: HttpRoute, components: Components): Json {
  const headers: Json = {}
  const text = (description: string) => ({ description, schema: { type: 'string' } })
  if (http.location) headers['Location'] = text('Where it is.')
  if (http.page) headers['Link'] = text('rel="next": the next page, if there is one.')
  if (http.cookie) headers['Set-Cookie'] = text(COOKIE_HEADER[http.cookie])
  if (http.method === 'GET') headers['ETag'] = text('For If-None-Match.')
  const { description = 'Done.' } = result as { description?: string }
  const content = { 'application/json': { schema: components.use(result), example: exampleOf(result) } }
  return { description, ...(Object.keys(headers).length > 0 ? { headers } : {}), content }
}
