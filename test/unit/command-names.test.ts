/** What a request takes a thing by, results name it by; names of before are beside those of today, and say so. */
import t from 'tap'
import type { TSchema } from 'typebox'
import { COMMANDS, type Command } from '../../schemas/commands.js'
import { openApi } from '../../schemas/documents/openapi.js'
import { nameNow } from '../helpers/results.js'

const table = Object.entries(COMMANDS as Record<string, Command>)

type Node = TSchema & { title?: string; properties?: Record<string, Node>; items?: Node; anyOf?: Node[] }

/** Every object within, with the keys that lead there. */
function objectsIn(schema: Node, at: string): [string, Record<string, Node>][] {
  const { properties, items, anyOf = [] } = schema
  const inner = [
    ...anyOf.map((one) => [at, one] as const),
    ...(items ? [[at, items] as const] : []),
    ...Object.entries(properties ?? {}).map(([key, one]) => [`${at}.${key}`, one] as const),
  ]
  const own: [string, Record<string, Node>][] = properties ? [[at, properties]] : []
  return [...own, ...inner.flatMap(([place, one]) => objectsIn(one, place))]
}

const answered = table.flatMap(([name, { result }]) => objectsIn(result, name))

/** Entries of logs: `id` is on their topics, too, and in stored bytes that leave as they are. */
const ENTRIES = [
  'send',
  'history.messages',
  'edits.versions',
  'rooms.list.rooms.last',
  'sync.rooms.messages',
  'sync.rooms.changed',
  'threads.list.threads.message',
  'threads.followed.threads.message',
  'mentions.list.mentions.message',
  'saved.list.saved.message',
  'search.results.message',
  'sync.rooms.at',
  'devices.command',
  'devices.commands.commands',
  'notify.sent',
  'notifications.list.notifications',
  'notifications.status',
  'broadcast',
  'audit.list.entries',
]

t.test('only entries of logs are answered as id; all else by what requests take it by', async (t) => {
  const taken = new Set(table.flatMap(([, { params }]) => Object.keys(params.properties)))
  const places = answered.filter(([, properties]) => 'id' in properties)
  for (const [at, properties] of places.filter(([at]) => !ENTRIES.includes(at))) {
    const now = nameNow(properties['id']!)
    t.ok(now !== null && now in properties && taken.has(now), `${at}.id`)
  }
  t.same(
    ENTRIES.filter((at) => !places.some(([place]) => place === at)),
    [],
    'those listed are there',
  )
})

t.test('what a path names is in an answer under that name', async (t) => {
  const names = new Set(answered.flatMap(([, properties]) => Object.keys(properties)))
  const inPaths = table.flatMap(([, { http }]) =>
    [...(http?.path ?? '').matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
  )
  t.same(
    [...new Set(inPaths)].filter((name) => !names.has(name)),
    ['notification'],
    'an entry of a log',
  )
})

t.test('old names of parameters are taken for those of today, which are not old themselves', async (t) => {
  const old = table.flatMap(([command, { params, deprecated = {} }]) =>
    Object.entries(deprecated).map(([name, now]) => {
      t.equal(nameNow(params.properties[name]!), now)
      t.equal(nameNow(params.properties[now]!), null)
      return `${command} ${name} ${now}`
    }),
  )
  t.same(old, ['rooms.links.create expires expiresIn', 'users.search prefix query', 'keys.revoke key keyId'])
  const today = table.flatMap(([, { params, deprecated = {} }]) =>
    Object.keys(params.properties).filter((name) => !Object.hasOwn(deprecated, name)),
  )
  for (const name of ['expires', 'prefix', 'key']) t.notOk(today.includes(name), `${name}: nowhere of today`)
})

t.test('OpenAPI marks them', async (t) => {
  const { paths, components } = JSON.parse(JSON.stringify(openApi('1.0.0')))
  t.match(paths['/v1/users'].get.parameters, [
    { name: 'query', required: true },
    { name: 'after' },
    { name: 'limit' },
    { name: 'prefix', required: false, deprecated: true, description: 'Deprecated: use query.' },
  ])
  const body = paths['/v1/rooms/{room}/links'].post.requestBody.content['application/json'].schema
  t.match(body.properties.expires, { deprecated: true, description: 'Deprecated: use expiresIn.' })
  for (const title of ['Room', 'Session', 'Webhook', 'DeadLetter', 'DeviceBridge', 'Key', 'NewKey', 'Report'])
    t.equal(components.schemas[title].properties.id.deprecated, true, title)
})
