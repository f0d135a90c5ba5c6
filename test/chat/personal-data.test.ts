/** Every kind of record in the store is exported or not personal, and erased or listed as staying: none can be forgotten. */
import { Level } from 'level'
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { accountFiles } from '../../broker/chat/exports/account-files.js'
import { keys } from '../../broker/store/level/keys.js'
import { PREFIXES } from '../../broker/store/level/record-keys.js'
import type { Table } from '../../broker/store/tables.js'
import { storeLocation } from '../../broker/wiring/storage.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { found, secret } from '../helpers/disk.js'
import { erased } from '../helpers/erased.js'
import { Person, type PersonOptions } from '../helpers/people.js'
import { onRedis } from '../helpers/test-store.js'
import { upload } from '../helpers/uploads.js'

interface Kind {
  /** The files of an export that have it; or why none has to. */
  readonly exported: readonly string[] | string
  /** Why the name of a deleted account may be in it afterwards, with the place in docs/privacy.md that says so; null: it may not. */
  readonly stays: string | null
}

const erasedWhole = (...files: string[]): Kind => ({ exported: files, stays: null })
const nobodys = (why: string): Kind => ({ exported: `not personal: ${why}`, stays: null })
const MERGED = 'The name as a part of keys in the files'

/** By what keys begin with. */
const KINDS: Readonly<Record<string, Kind>> = {
  '!': nobodys('the store’s own'),
  j: { exported: 'entries that are not in chunks yet', stays: 'as in chunks' },
  c: {
    exported: ['messages/', 'direct/', 'events', 'notifications', 'announcements', 'acts', 'sent-notifications'],
    stays: 'the name in what others wrote, in the events of others, in the audit log',
  },
  h: { exported: 'heads of logs', stays: 'the name in the id of a conversation the other keeps' },
  x: nobodys('logs being dropped'),
  b: { exported: 'when chunks expire', stays: 'the name in the id of a conversation the other keeps' },
  B: { exported: 'when retained messages expire', stays: null },
  S: { exported: 'keys that compaction is to visit', stays: MERGED },
  z: { exported: 'what is being erased', stays: 'the name in the id of a conversation the other keeps' },
  a: {
    exported: 'notes beside the messages',
    stays: 'mentions by others, and the id of a conversation the other keeps',
  },
  g: nobodys('generations of client-chosen ids'),
  l: nobodys('bloom filters of client-chosen ids'),
  d: { exported: 'client-chosen ids, beside what they are of', stays: 'a retry must stay a retry' },
  n: erasedWhole('sessions'),
  Wn: nobodys('which node serves a session'),
  Wc: nobodys('which node waits for a session'),
  Wu: nobodys('how many devices each of several nodes has'),
  s: erasedWhole('sessions'),
  k: {
    exported: 'how far sessions have read, and packet ids under way',
    stays: 'the name in the id of a conversation the other keeps',
  },
  p: { exported: 'messages on plain topics, while someone has yet to receive them', stays: 'until they are received' },
  r: nobodys('who has yet to receive them; goes with the session'),
  t: erasedWhole('retained'),
  w: nobodys('wills, published when the session ends'),
  u: erasedWhole('account'),
  v: erasedWhole('account'),
  V: { exported: 'when an account of the name was removed', stays: 'tokens issued before stay void' },
  C: erasedWhole('credentials'),
  '2': erasedWhole('account'),
  X: nobodys('removals under way'),
  T: {
    exported:
      'what is counted or issued for a while: wrong codes of a second factor, codes of a login, links of an export, the last message in slow mode, how often others were asked, failed logins; known networks are in account',
    stays: null,
  },
  A: erasedWhole('bots'),
  P: erasedWhole('profile'),
  Wi: { exported: 'words of the name in profile', stays: null },
  Y: erasedWhole('privacy'),
  Wq: erasedWhole('notification-settings'),
  Wa: erasedWhole('account-data'),
  Wv: { exported: ['saved'], stays: 'the name in the id of a conversation the other keeps' },
  K: erasedWhole('blocks'),
  Q: erasedWhole('contacts'),
  o: { exported: ['rooms'], stays: 'the name in the id of a conversation the other keeps' },
  m: { exported: ['rooms'], stays: 'the name in the id of a conversation the other keeps' },
  q: erasedWhole('invitations'),
  e: { exported: 'rooms the user has left', stays: null },
  N: nobodys('broadcast channels'),
  Wy: nobodys('the id of the deployment'),
  y: erasedWhole('presence'),
  R: { exported: ['rooms'], stays: 'the name in the id of a conversation the other keeps' },
  Wp: nobodys('packet ids of queued messages, which only plugins of Aedes keep; goes with the session'),
  Wo: { exported: 'how far webhooks have read', stays: 'the name in the id of a conversation the other keeps' },
  Ww: erasedWhole('webhooks'),
  Wd: { exported: 'places of events in the logs', stays: 'the name in the id of a conversation the other keeps' },
  Ws: nobodys('how the deliveries of a webhook go'),
  Wr: nobodys('which webhooks send their dead letters again'),
  Wj: nobodys('which node does a job'),
  Wk: nobodys('which nodes take jobs'),
  Mb: nobodys('contents of files that are blocked'),
  Mf: nobodys('filters'),
  Mr: erasedWhole('reports'),
  Me: { exported: 'evidence of what others wrote, for those who keep order', stays: 'the name in what others wrote' },
  Ma: erasedWhole('files'),
  Mu: erasedWhole('files'),
  Mo: {
    exported: 'which rooms have messages that refer to a file: they stand in these messages',
    stays: 'the name in the id of a conversation the other keeps',
  },
  Mc: nobodys('when files are looked at'),
  Mt: { exported: 'how many files there are, and their bytes: the sum of files', stays: null },
  // Of rooms and devices.
  Ob: { exported: ['sanctions'], stays: 'bans and mutes of the name' },
  Om: { exported: ['sanctions'], stays: 'bans and mutes of the name' },
  Ol: { exported: 'links lead into rooms; who made one loses them with the account’s name', stays: null },
  Or: erasedWhole('requests'),
  Ow: { exported: 'that they wrote stands in direct/', stays: 'the name in the id of a conversation the other keeps' },
  Of: { exported: 'where others forwarded the user’s words is theirs', stays: null },
  OD: erasedWhole('devices'),
  OS: erasedWhole('devices'),
  OO: erasedWhole('devices'),
  OB: erasedWhole('devices'),
  OC: erasedWhole('devices'),
  OF: erasedWhole('devices'),
}

function kindOf(key: string): string {
  return /^[OWM]/.test(key) ? key.slice(0, 2) : key[0]!
}

/** Members of the table of keys that are no key. */
const PARTS =
  /^(journalEdges|dueOf|retainedOfDue|keyOfStale|groupOf|noteOf|placeOf|numbered|dedupeName|dedupeNameOf|dedupePrefix|outboxOf)$/

/** Whose first, or second, part is a number. */
const NUMBER_FIRST = new Set(['journal', 'due', 'dueRetained', 'generation', 'filter', 'dedupe', 'packet'])
const SECOND = new Set(['chunk', 'erased', 'incoming', 'reference'])

t.test('every key the store knows is of a kind that is decided upon', async (t) => {
  for (const [table, prefix] of Object.entries(PREFIXES))
    t.ok(KINDS[kindOf(prefix)], `the table ${table}, whose keys begin with ${prefix}, is in KINDS of this file`)
  for (const [name, make] of Object.entries(keys)) {
    if (PARTS.test(name)) continue
    const given = NUMBER_FIRST.has(name) ? [1, 'x', 1] : ['b', SECOND.has(name) ? 1 : 'x', 1, 'x']
    const key = typeof make === 'function' ? (make as (...parts: unknown[]) => string)(...given) : String(make)
    t.ok(
      KINDS[kindOf(key)],
      `keys.${name} begins with ${kindOf(key)}, which KINDS of this file does not have: say there in which file of an export such records are, or why in none, and whether a name may stay in them`,
    )
  }
})

/** Someone who did everything there is, in their own words, each of them a secret. */
async function fullLife(t: Test, broker: TestBroker, name: string) {
  const words: string[] = []
  const word = (): string => words[words.push(secret()) - 1]!
  const connect = (user: string, options: PersonOptions = {}) =>
    Person.connect(t, broker, user, { keepalive: 0, ...options })
  const bob = await connect('bob')
  const carol = await connect('carol')
  const robot = await connect('robot', { roles: ['notifier'] })
  await bob.get('auth.register', { user: name, password: 'a password of hers' })
  const roles = ['admin', 'notifier', 'publisher']
  const zoe = await connect(name, { clientId: 'zoes-phone', clean: false, roles })

  await zoe.get('users.update', { name: word(), fields: { note: word() } })
  await zoe.get('privacy.update', { presence: 'contacts' })
  await zoe.get('notifications.settings.update', { keywords: [word()] })
  const draft = (value: unknown) => zoe.get('account.data.set', { name: 'draft.tea', value })
  await draft({ text: word() })
  await zoe.get('account.data.set', { name: 'theme', value: { colours: [word()] } })
  await zoe.get('auth.totp.begin', { password: 'a password of hers' })
  await zoe.fails('auth.totp.confirm', { code: '12345678' })
  await zoe.fails('auth.login', { user: name, password: 'another password' })
  await zoe.get('auth.login', { user: name, password: 'a password of hers' })
  await zoe.fails('auth.refresh', { token: 'no token' })
  await zoe.get('account.export')
  await zoe.get('contacts.request', { user: 'bob' })
  await connect('mallory')
  await zoe.get('blocks.add', { user: 'mallory' })
  await zoe.get('bots.create', { bot: 'zoes-bot' })
  await zoe.publish(`users/${name}/presence`, { status: word() })
  await zoe.publish('plain/topic', word(), { retain: true })
  await zoe.subscribe(['rooms/+/messages', 'plain/#'])

  for (const room of ['tea', 'den']) await bob.get('rooms.create', { room })
  await bob.get('rooms.create', { room: 'club', access: 'request' })
  await bob.get('rooms.invite', { room: 'den', user: name })
  await zoe.get('rooms.join', { room: 'tea' })
  await zoe.get('rooms.request', { room: 'club', message: word() })
  await zoe.say('tea', { text: word(), cid: 'c' }) // 1
  await bob.get('rooms.create', { room: 'slow', slowMode: 86_400 })
  await zoe.get('rooms.join', { room: 'slow' })
  await zoe.say('slow', word())
  await bob.say('tea', 'bob stays') // 2
  await zoe.say('tea', { type: 'edit', target: 1, text: word() }) // 3
  await zoe.say('tea', { type: 'reaction', target: 2, data: { emoji: '👍' } }) // 4
  await zoe.get('read', { room: 'tea', seq: 2 })
  await zoe.tell('bob', word())
  await zoe.get('saved.add', { room: 'tea', seq: 2, note: word() })
  await bob.get('saved.add', { room: `@${name}`, seq: 1 })
  await bob.say('den', { forward: { room: 'tea', seq: 1 } }) // 1
  await bob.tell('carol', { forward: { room: 'tea', seq: 1 } })
  await carol.get('rooms.join', { room: 'den' })
  await zoe.get('rooms.create', { room: 'zoes' })
  await zoe.get('rooms.invite', { room: 'zoes', user: 'bob' })
  await bob.get('rooms.join', { room: 'zoes' })
  await zoe.get('rooms.links.create', { room: 'zoes' })
  await zoe.get('rooms.ban', { room: 'zoes', user: 'carol' })
  await zoe.get('rooms.mute', { room: 'zoes', user: 'bob' })

  await zoe.get('reports.create', { room: 'tea', seq: 2, reason: 'spam', text: word() })
  const about = await bob.get('reports.create', { room: 'tea', seq: 1, reason: 'spam' })
  const forwarded = await carol.get('reports.create', { room: 'den', seq: 1, reason: 'spam' })
  const closed = await bob.get('reports.create', { room: 'den', user: 'carol', reason: 'other' })
  await zoe.get('reports.resolve', { report: closed.id, action: 'dismiss', note: 'as the audit log has it' })
  await robot.publish('users/bob/notifications', { title: 'from the robot', body: 'old', collapseKey: 'k' })
  for (const collapseKey of ['k', undefined])
    await zoe.publish('users/bob/notifications', { title: word(), body: word(), collapseKey })
  await robot.publish(`users/${name}/notifications`, { title: 'for her', body: word() })
  await zoe.publish('broadcast/news', { text: word() }, { retain: true })
  await zoe.get('devices.register', { device: 'zoes-lamp', name: word() })
  await bob.get('devices.register', { device: 'radio' })
  await bob.get('devices.share', { device: 'radio', user: name, may: 'control' })
  await zoe.get('devices.command', { device: 'radio', name: 'play', params: { song: word() } })
  await bob.get('devices.command', { device: 'radio', name: 'stop' })
  await zoe.get('devices.register', { device: 'fan' })
  await zoe.get('devices.bridge', { device: 'fan', filter: 'state', room: 'zoes' })
  await zoe.get('devices.transfer', { device: 'fan', user: 'bob' })
  const file = await upload(broker, name, Buffer.from(`bytes of ${name}`), { name: word(), roles })
  await zoe.say('tea', { attachments: [{ type: 'file', file }] })
  const hook = { webhook: 'hook', url: 'http://127.0.0.1:9/', events: ['notification.sent'] }
  await zoe.get('webhooks.create', hook)
  await robot.publish(`users/${name}/notifications`, { title: 'told to nobody', body: word() })
  while ((await zoe.get('webhooks.deliveries', { webhook: 'hook' })).deliveries.length === 0);
  return { words, bob, carol, zoe, reports: { about: about.id, forwarded: forwarded.id, closed: closed.id } }
}

const OVERRIDES: Overrides = {
  listen: { http: 0 },
  limits: { rates: 'off' },
  webhookDelivery: { attempts: 1, privateAddresses: true },
  media: { shared: true },
  acl: { rules: [{ allow: 'all', who: 'any', topics: ['plain/#'] }] },
}

t.test('an export has all of it', async (t) => {
  const broker = await startTestBroker(t, OVERRIDES)
  const { words } = await fullLife(t, broker, 'zoe')
  const files: Record<string, string> = {}
  for await (const { name, text } of accountFiles(broker.running.store, 'zoe', 1e9)) {
    files[name] = ''
    for await (const piece of text) files[name] += piece
  }
  const all = Object.values(files).join('\n')
  t.same(
    words.filter((word) => !all.includes(word)),
    [],
    'every word of hers',
  )
  for (const [letter, { exported }] of Object.entries(KINDS))
    for (const file of typeof exported === 'string' ? [] : exported) {
      const [, text = ''] = Object.entries(files).find(([name]) => name.startsWith(file)) ?? []
      t.ok(text.trim().length > 2, `${letter} is in ${file}`)
      t.match(files['README.txt'], file)
    }
  const json = (name: string) => JSON.parse(files[`${name}.json`]!)
  t.match(json('account'), { networks: [{ network: '127.0.0.1', at: Number }] })
  t.match(json('devices'), { shared: [{ device: 'radio' }], commands: [{ name: 'play' }] })
  t.match(json('webhooks'), [{ id: 'hook' }])
  t.notOk('secret' in json('webhooks')[0])
  t.match(json('reports'), { made: [{ reason: 'spam' }], resolved: [{ resolution: { by: 'zoe' } }] })
  t.equal(json('reports').made.length, 1, 'none about her')
})

t.test('a deletion leaves nothing but what is listed', async (t) => {
  const clock = movableClock(t)
  const broker = await startTestBroker(t, OVERRIDES)
  const name = `zoe-${secret().replace(/[^A-Za-z0-9]/g, '')}`
  const { words, bob, carol, reports } = await fullLife(t, broker, name)
  await broker.restart()
  const admin = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  await callAdmin(broker.dataDir, 'user.remove', { name })
  for (const user of [name, 'zoes-bot', 'zoes-lamp']) await erased(broker, user)
  t.ok(bob && carol)

  const again = await Person.connect(t, broker, 'bob', { clientId: 'again' })
  const everything = JSON.stringify([
    await again.get('history', { room: 'den' }),
    await again.get('history', { room: '@carol' }),
    await again.get('notifications.list'),
    await again.get('broadcast.history', { channel: 'news' }),
    await again.get('devices.commands', { device: 'radio' }),
    await again.get('devices.get', { device: 'fan' }),
    await admin.get('webhooks.list'),
    await admin.get('webhooks.deliveries', { webhook: 'hook' }),
    await admin.get('reports.list', { status: 'open' }),
    await admin.get('reports.list', { status: 'resolved' }),
  ])
  t.notOk(everything.includes(name))
  for (const word of words) t.notOk(everything.includes(word))
  t.match(await again.get('notifications.list'), { notifications: [], unacked: 0 })
  t.match((await again.get('devices.commands', { device: 'radio' })).commands, [{ name: 'stop', by: 'bob' }])
  const open = (await admin.get('reports.list', { status: 'open' })).reports
  t.notOk(
    open.some(({ id }: { id: string }) => id === reports.about),
    'what was about her is closed for good',
  )
  t.ok(open.some(({ id }: { id: string }) => id === reports.forwarded))
  t.match((await admin.get('reports.list', { status: 'resolved' })).reports, [
    { id: reports.closed, resolution: { by: 'system', note: null, action: 'dismiss' } },
  ])

  for (let hours = 0; hours <= 25; hours++) {
    clock.forward(3600)
    await broker.running.maintenance.sweep(Date.now())
  }
  await broker.restart()
  await broker.running.store.log.sweep()
  t.same(found(await broker.stored(), words), [], 'no word of hers is on the disk')
  const left = await (onRedis ? tablesWith : kindsWith)(broker, name)
  t.same(
    [...left].filter((kind) => (KINDS[kind]?.stays ?? null) === null),
    [],
    'her name is only where it is said to stay',
  )
})

/** Kinds of keys of the embedded store that have a name. */
async function kindsWith(broker: TestBroker, name: string): Promise<Set<string>> {
  await broker.running.close()
  const level = new Level<string, Buffer>(storeLocation(broker.dataDir), { valueEncoding: 'buffer' })
  const kinds = new Set<string>()
  for await (const [key, value] of level.iterator())
    if (key.includes(name) || value.includes(name)) kinds.add(kindOf(key))
  await level.close()
  return kinds
}

async function tablesWith(broker: TestBroker, name: string): Promise<Set<string>> {
  const kinds = new Set<string>()
  for (const [table, kind] of Object.entries(PREFIXES) as [Table, string][])
    await broker.running.store.tables.scan(table, (key, value) => {
      if (key.includes(name) || value.includes(name)) kinds.add(kind)
    })
  return kinds
}
