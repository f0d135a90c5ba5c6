/** The part of the store contract that is not about logs: sessions, queues, retained messages, people and rooms. */

import type { Test } from 'tap'
import type { BlockedContent } from '../../broker/store/blocked-contents.js'
import type { CredentialRecord } from '../../broker/store/credentials.js'
import type { FileRecord } from '../../broker/store/files.js'
import { put } from '../../broker/store/op.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { SavedInflight, SessionRecord } from '../../broker/store/sessions.js'
import type { Store } from '../../broker/store/store.js'
import { keyOf } from '../../broker/store/tables.js'
import type { NotificationRecord } from '../../broker/store/user-settings.js'
import { secondMemory } from '../helpers/two-memories.js'
import { moderationSuite } from './store-moderation-suite.js'
import { enqueued, matching, message, queuesSuite } from './store-queues-suite.js'
import { all, commit, type NewPlace } from './store-suite.js'

export function recordsSuite(t: Test, newPlace: NewPlace): void {
  t.test('sessions', (t) => sessions(t, newPlace))
  t.test('packets in flight', (t) => packetsInFlight(t, newPlace))
  t.test('users', (t) => users(t, newPlace))
  t.test('credentials', (t) => credentials(t, newPlace))
  t.test('second factors', (t) => secondFactors(t, newPlace))
  t.test('records with a time to live', (t) => expiring(t, newPlace))
  t.test('counts of attempts', (t) => counts(t, newPlace))
  t.test('removals', (t) => removals(t, newPlace))
  t.test('bots', (t) => bots(t, newPlace))
  t.test('profiles and blocks', (t) => people(t, newPlace))
  t.test('files', (t) => files(t, newPlace))
  t.test('blocked contents', (t) => blockedContents(t, newPlace))
  t.test('rooms and members', (t) => rooms(t, newPlace))
  t.test('rooms of earlier versions, and members of later ones', (t) => earlierRooms(t, newPlace))
  queuesSuite(t, newPlace)
  moderationSuite(t, newPlace)
}

function session(id: string): SessionRecord {
  const slash = id.indexOf('/')
  return { id, user: id.slice(0, slash), clientId: id.slice(slash + 1), createdAt: 1, disconnectedAt: 2, expiry: 60 }
}

async function files(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const record = (n: number, user: string): FileRecord => ({
    ...{ id: String(n).padStart(32, '0'), user, person: user, name: `${n}.png`, mime: 'image/png', size: n },
    ...{ createdAt: 1000, hash: null, checkAt: 2000 + n },
  })
  const [first, second, third] = [record(1, 'ann'), record(2, 'ann'), record(3, 'bob')]
  const files = () => store.directory.files
  await commit(
    store,
    [],
    [first, second, third].flatMap((one) => [
      ...files().putOps(one, null),
      files().roomOp(one.id, 'tea', { totals: 't', bytes: one.size }),
      files().roomOp(one.id, 'dm:ann:bob', { totals: 'd', bytes: one.size }),
    ]),
  )
  await commit(
    store,
    [],
    [
      files().totalsOp('ann', { files: 2, bytes: 3 }),
      files().totalsOp(null, { files: 3, bytes: 6 }),
      files().roomTotalsOp('tea', { id: 't', files: 3, bytes: 6 }),
    ],
  )
  const later = { ...first, hash: 'h', checkAt: 9000, facts: { width: 3, height: 4 } }
  await commit(store, [], files().putOps(later, first))
  for (let opened = 0; opened < 2; opened++) {
    t.same(await files().get(first.id), later)
    t.same(await files().ofUser('ann', '', 10), [first.id, second.id])
    t.same(await files().ofUser('ann', first.id, 10), [second.id])
    t.same(await files().ofUser('ann', '', 1), [first.id])
    t.same(await files().roomsOf(third.id, '', 10), ['dm:ann:bob', 'tea'])
    t.same(await files().roomsOf(third.id, 'dm:ann:bob', 10), ['tea'])
    t.same(await files().due(2001, 10), [])
    t.same(await files().due(2003, 10), [second.id, third.id])
    t.same(await files().due(9000, 10), [second.id, third.id, first.id])
    t.same(await files().due(9000, 1), [second.id])
    t.same(await files().totals('ann'), { files: 2, bytes: 3 })
    t.same(await files().totals(null), { files: 3, bytes: 6 })
    t.same(await files().totals('bob'), { files: 0, bytes: 0 })
    t.same(await files().roomTotals('tea'), { id: 't', files: 3, bytes: 6 })
    t.equal(await files().roomTotals('den'), null)
    t.same(await files().countedIn(third.id, 'tea'), { totals: 't', bytes: 3 })
    t.equal(await files().countedIn(third.id, 'den'), null)
    await store.close()
    store = await place.open()
  }
  await commit(store, [], [...files().deleteOps(later), files().totalsOp('ann', { files: 0, bytes: 0 })])
  t.equal(await files().get(first.id), null)
  t.same(await files().ofUser('ann', '', 10), [second.id])
  t.same(await files().roomsOf(first.id, '', 10), [])
  t.same(await files().due(9000, 10), [second.id, third.id])
  t.same(await files().totals('ann'), { files: 0, bytes: 0 })
  await commit(store, [], [files().deleteRoomOp(second.id, 'tea')])
  t.same(await files().roomsOf(second.id, '', 10), ['dm:ann:bob'])
  await commit(store, [], store.directory.deleteRoomOps('tea'))
  t.equal(await files().roomTotals('tea'), null)
  await store.close()
}

async function blockedContents(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const content = (hash: string, blockedAt: number): BlockedContent => ({
    ...{ hash, blockedAt, mime: 'text/plain', size: 3, reason: null, by: 'admin' },
  })
  const blocked = () => store.directory.blockedContents
  const add = async (one: BlockedContent): Promise<void> => {
    await commit(store, [], await blocked().addOps(one, 2))
  }
  const [a, b, c] = [content('a', 1), content('B', 2), content('c', 3)]
  for (const one of [a, b, content('a', 9), c]) await add(one)
  t.same(await blocked().addOps(content('d', 4), 0), [], 'none is kept')
  for (let opened = 0; opened < 2; opened++) {
    t.equal(await blocked().get('a'), null, 'the oldest is gone')
    t.same(await blocked().get('B'), b)
    t.same(await blocked().list(null, 9), [c, b])
    t.same(await blocked().list(null, 1), [c])
    t.same(await blocked().list(c, 9), [b])
    await store.close()
    store = await place.open()
  }
  await commit(store, [], await blocked().removeOps(b))
  await add(a)
  t.same(await blocked().list(null, 9), [c, a], 'there was room for it')
  await store.close()
}

async function sessions(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  // One id extends the other, and both hold what keys are made of.
  const ids = ['ann/a!/b', 'ann/a!/b/c', 'ann2/x', 'an/x']
  for (const id of ids) {
    const { sessions } = store
    await commit(
      store,
      [],
      [
        sessions.recordOp(session(id)),
        ...sessions.subscribeOps(id, [
          { topic: 'a/+', qos: 1, rh: 1, rap: true, nl: false, subscriptionIdentifier: 9 },
          { topic: 'rooms/+/messages', qos: 2 },
          { topic: 'live', qos: 0 },
        ]),
        sessions.cursorOp(id, 'm:r/1', 5),
        sessions.incomingOp(id, 65_535),
        sessions.incomingOp(id, 1),
      ],
    )
    const inflight = [{ packetId: 3, source: 'm:r/1', seq: 6, qos: 2, released: true } as const]
    await sessions.writeLazily([sessions.cursorOp(id, 'm:r/1', 6), ...sessions.inflightOps(id, inflight)])
  }
  const saved = {
    subscriptions: [
      { topic: 'a/+', qos: 1, rh: 1, rap: true, nl: false, subscriptionIdentifier: 9 },
      { topic: 'live', qos: 0 },
      { topic: 'rooms/+/messages', qos: 2 },
    ],
    cursors: new Map([['m:r/1', 6]]),
    inflight: [{ packetId: 3, source: 'm:r/1', seq: 6, qos: 2, released: true }],
    inflightChanges: 0,
    incoming: [1, 65_535],
  }
  for (const when of ['at once', 'after a restart']) {
    for (const id of ids) t.same(await store.sessions.load(id), { record: session(id), ...saved }, when)
    t.same(
      (await store.sessions.ofUser('ann')).map(({ id }) => id),
      ['ann/a!/b', 'ann/a!/b/c'],
    )
    t.same((await all(store.sessions.all())).map(({ id }) => id).sort(), [...ids].sort())
    t.same(Object.keys(await matching(store, 'a/x')), [...ids].sort())
    await store.close()
    store = await place.open()
  }
  t.equal(await store.sessions.load('ann/unknown'), null)
  t.equal(await store.sessions.lastHeartbeat(), null)
  await store.sessions.writeLazily([store.sessions.heartbeatOp({ at: 5, ended: false })])
  t.same(await store.sessions.lastHeartbeat(), { at: 5, ended: false })

  const [first, second] = ids as [string, string]
  await commit(
    store,
    [],
    [
      ...store.sessions.unsubscribeOps(second, ['a/+', 'never had']),
      store.sessions.dropCursorOp(second, 'm:r/1'),
      store.sessions.dropIncomingOp(second, 1),
      ...store.sessions.inflightOps(second, []),
    ],
  )
  t.match(await store.sessions.load(second), { cursors: new Map(), inflight: [], incoming: [65_535] })
  await enqueued(store, message('a/x', 'queued'), [first])
  await commit(store, [], store.sessions.discardOps(first))
  t.equal(await store.sessions.load(first), null)
  t.same(store.queue.size(first), { messages: 0, bytes: 0 })
  t.same(Object.keys(await matching(store, 'a/x')), ['an/x', 'ann2/x'])
  await commit(store, [], [store.sessions.recordOp(session(first))])
  t.same(
    await store.sessions.load(first),
    { record: session(first), subscriptions: [], cursors: new Map(), inflight: [], inflightChanges: 0, incoming: [] },
    'nothing is left of what was discarded',
  )
  t.equal((await store.sessions.load(second))?.incoming.length, 1, 'its neighbour is untouched')
  await store.close()
}

async function packetsInFlight(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const { sessions } = store
  const packet = (packetId: number, seq: number, released = false): SavedInflight => ({
    ...{ packetId, source: 'm:r/1', seq, qos: 2, released },
  })
  const ended = (packetId: number, seq = 0) => ({ packetId, source: 'm:r/1', seq, ended: true }) as const
  const phone = 'ann/phone'
  const group = '\u0001crew/a/+'
  await sessions.writeLazily([
    ...sessions.inflightOps(phone, [packet(7, 1), packet(9, 2), packet(8, 3)]),
    ...sessions.inflightOps(group, [packet(0, 1), packet(0, 2)]),
  ])
  await sessions.writeLazily([sessions.inflightChangesOp(phone, 0, [ended(7), packet(9, 2, true), packet(10, 4)])])
  await sessions.writeLazily([
    sessions.inflightChangesOp(phone, 1, [ended(8), ended(10), packet(8, 5)]),
    sessions.inflightChangesOp(group, 0, [ended(0, 1), packet(0, 3)]),
  ])
  for (const when of ['at once', 'after a restart']) {
    const { inflight, inflightChanges } = await store.sessions.progress(phone)
    t.same(inflight, [packet(9, 2, true), packet(8, 5)], when)
    t.equal(inflightChanges, 2)
    t.same((await store.sessions.progress(group)).inflight, [packet(0, 2), packet(0, 3)])
    await store.close()
    store = await place.open()
  }
  await store.sessions.writeLazily(store.sessions.inflightOps(phone, [packet(9, 2, true)], 2))
  t.match(await store.sessions.progress(phone), { inflight: [packet(9, 2, true)], inflightChanges: 0 })
  await commit(store, [], store.sessions.discardOps(group))
  t.match(await store.sessions.progress(group), { inflight: [], inflightChanges: 0 })
  await store.close()
}

async function users(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const ann = { id: 'Ann', roles: ['admin'], passwordHash: 'x', createdAt: 1 }
  t.equal(await store.directory.user('Ann'), null)
  await commit(store, [], store.directory.userOps(ann))
  t.same(store.directory.user('Ann'), ann, 'cached: no promise')
  await store.close()
  store = await place.open()
  t.same(await store.directory.user('Ann'), ann)
  t.equal(await store.directory.user('ann'), null)
  t.same(await store.directory.userLike('aNN'), ann)
  t.equal(await store.directory.userLike('bob'), null)
  await commit(store, [], store.directory.userOps({ ...ann, roles: [] }))
  t.same(await store.directory.user('Ann'), { ...ann, roles: [] })
  t.same(await all(store.directory.users()), [{ ...ann, roles: [] }])
  await commit(store, [], store.directory.deleteUserOps('Ann', 5))
  t.equal(await store.directory.user('Ann'), null)
  t.equal(await store.directory.userLike('ann'), null)

  await commit(
    store,
    [],
    [
      store.directory.presence.putOp({ user: 'ann', online: false, status: null, away: false, lastSeen: 5 }),
      store.directory.presence.putOp({ user: 'ann', online: true, status: 'hi', away: true, lastSeen: 6 }),
    ],
  )
  t.same(
    [...store.directory.presence.all()],
    [{ user: 'ann', online: true, status: 'hi', away: true, lastSeen: 6 }],
    'the later op wins',
  )
  await store.close()
}

async function secondFactors(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const record = (user: string, lastStep: number) => ({ user, sealed: 's', confirmedAt: 7, lastStep, recovery: ['a'] })
  const { accounts } = store
  t.equal(await accounts.secondFactor('ann'), null)
  await commit(store, [], [accounts.secondFactorOp(record('ann', 1)), accounts.secondFactorOp(record('ann2', 2))])
  await commit(store, [], [accounts.secondFactorOp(record('ann', 3))])
  await store.close()
  store = await place.open()
  t.same(await store.accounts.secondFactor('ann'), record('ann', 3))
  await commit(store, [], [store.accounts.deleteSecondFactorOp('ann')])
  t.equal(await store.accounts.secondFactor('ann'), null)
  await commit(store, [], store.directory.deleteUserOps('ann2', 1))
  t.equal(await store.accounts.secondFactor('ann2'), null, 'it goes with the account')
  await store.close()
}

async function expiring(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const record = (until: number) => ({ failures: 1, last: 5, refusedUntil: 0, until })
  const users = ['ann', 'bob', 'cy', 'dee', 'eve']
  await commit(
    store,
    [],
    users.map((user, i) => store.expiring.putOp('codeFailures', user, record(100 + i))),
  )
  await store.close()
  store = await place.open()
  t.same(await store.expiring.get('codeFailures', 'cy', 101), record(102))
  t.equal(await store.expiring.get('codeFailures', 'cy', 102), null, 'absent when its time is over')
  await commit(store, [], store.directory.deleteUserOps('eve', 1))
  t.equal(await store.expiring.get('codeFailures', 'eve', 0), null, 'it goes with the account')
  await commit(store, [], [store.expiring.deleteOp('codeFailures', 'dee')])

  const late = await secondMemory(store)
  let renewals = 0
  for (let after: string | null = ''; after !== null; ) {
    const from: string = after
    const { value } = await late.store.transact('sweep', async ({ expiring }) => {
      const { ops, next } = await expiring.sweepOps(from, 1, 101)
      if (ops.length > 0 && renewals++ === 0)
        await commit(store, [], [store.expiring.putOp('codeFailures', 'ann', record(200))])
      return { ops, lazy: true, value: next }
    })
    after = value
  }
  const left = await Promise.all(users.map((user) => store.expiring.get('codeFailures', user, 0)))
  t.same(left, [record(200), null, record(102), null, null], 'a sweep removes what is over, and not renewed meanwhile')
  await store.close()
}

async function counts(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const record = (failures: number) => ({ failures, last: 5, refusedUntil: 0, until: 100 })
  const pair = (user: string) => [user, '10.0.0.1'] as const
  const count = ({ expiring }: Pick<Store, 'expiring'>, user: string) => expiring.count('loginFailures', pair(user), 99)
  const late = await secondMemory(store)
  late.hold()
  const set = (user: string, failures: number) =>
    commit(store, [], store.expiring.countOps('loginFailures', pair(user), record(failures)))
  for (const user of ['ann', 'bob', 'cy']) await set(user, 1)
  t.same(count(store, 'ann'), record(1))
  t.equal(store.expiring.count('loginFailures', pair('ann'), 100), null, 'absent when its time is over')
  t.equal(store.expiring.count('renewalFailures', pair('ann'), 99), null, 'each kind is counted apart')
  t.equal(count(late.store, 'ann'), null, 'from memory')

  const counting = late.store.transact('counting', ({ expiring }) => {
    const failures = (count({ expiring }, 'ann')?.failures ?? 0) + 1
    return { ops: expiring.countOps('loginFailures', pair('ann'), record(failures)), value: failures }
  })
  setImmediate(late.release)
  t.equal((await counting).value, 2, 'decided on what is stored')
  await commit(store, [], [store.expiring.deleteOp('loginFailures', pair('bob'))])
  await commit(store, [], store.directory.deleteUserOps('cy', 1))
  const users = ['ann', 'bob', 'cy']
  for (const one of [store, late.store])
    t.same(
      users.map((user) => count(one, user)),
      [record(2), null, null],
    )
  await store.close()
  store = await place.open()
  t.same(
    users.map((user) => count(store, user)),
    [record(2), null, null],
    'after a restart, too',
  )
  await store.close()
}

async function removals(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const record = (user: string) => ({ user, at: 7, rooms: ['tea', `dm:${user}:zoe`] })
  const { accounts, directory } = store
  const presence = { user: 'ann', online: false, status: 'zzz', away: false, lastSeen: 1 }
  await commit(store, [], [accounts.removalOp(record('ann')), accounts.removalOp(record('bob'))])
  await commit(
    store,
    [],
    [directory.presence.putOp(presence), directory.inviteOp({ room: 'tea', user: 'x', by: 'ann', at: 1 })],
  )
  t.match([...directory.invites('tea').values()], [{ user: 'x', by: 'ann' }])
  await commit(store, [], [accounts.deleteRemovalOp('bob'), ...directory.presence.deleteOps('ann')])
  await store.close()
  store = await place.open()
  const all: unknown[] = []
  for await (const one of store.accounts.removals()) all.push(one)
  t.same(all, [record('ann')])
  t.same(await store.accounts.removal('ann'), record('ann'))
  t.equal(await store.accounts.removal('bob'), null)
  for (const one of store.directory.presence.all()) t.fail(`${one.user} is forgotten`)
  await store.close()
}

async function credentials(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const credential = (user: string, id: string): CredentialRecord => ({
    ...{ user, id, kind: 'login', hash: 'h', previous: null, name: null },
    ...{ createdAt: 1, usedAt: 2, expiresAt: 3 },
  })
  const all = [credential('ann', 'a'), credential('ann', 'b'), credential('ann2', 'a')]
  await commit(store, [], [...all.map((one) => store.directory.credentialOp(one))])
  await store.close()
  store = await place.open()
  const { directory } = store
  t.same(await directory.credentials('ann'), all.slice(0, 2))
  t.same(await directory.credential('ann2', 'a'), all[2])
  t.equal(await directory.credential('ann', 'c'), null)
  await commit(store, [], [directory.deleteCredentialOp('ann', 'a')])
  t.same(await directory.credentials('ann'), all.slice(1, 2))
  t.equal(await directory.removedAt('ann'), 0)
  await commit(store, [], directory.deleteUserOps('ann', 77))
  t.same(await directory.credentials('ann'), [], 'they go with the account')
  t.equal(await directory.removedAt('ann'), 77)
  t.same(await directory.credentials('ann2'), all.slice(2), 'and only with it')
  await store.close()
}

async function bots(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const ping = { name: 'ping', description: 'd' }
  const bot = (bot: string, createdAt: number, commands = [ping]) => ({ bot, owner: 'ann', createdAt, commands })
  const [old, young] = [bot('z', 1), bot('a', 2)]
  await commit(store, [], [store.directory.bots.putOp(young), store.directory.bots.putOp(old)])
  for (const when of ['at once', 'after a restart']) {
    const { bots } = store.directory
    t.same(bots.byCommand('ping'), [old, young], when)
    t.same(bots.ofOwner('ann'), [old, young])
    t.same(bots.get('a'), young)
    await store.close()
    store = await place.open()
  }
  const { directory } = store
  await commit(store, [], [directory.bots.putOp({ ...old, commands: [] })])
  t.same(directory.bots.byCommand('ping'), [young])
  await commit(store, [], directory.deleteUserOps('a', 5))
  t.same(directory.bots.byCommand('ping'), [], 'it goes with its account')
  t.same(
    directory.bots.ofOwner('ann').map(({ bot }) => bot),
    ['z'],
  )
  await store.close()
}

async function people(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const user = (id: string) => ({ id, roles: [], passwordHash: null, createdAt: 1 })
  const block = (one: string, other: string) => ({ user: one, blocked: other, at: 5 })
  const privacy = {
    user: 'Ann',
    messages: 'contacts',
    presence: 'nobody',
    readReceipts: 'everyone',
    invites: 'nobody',
  } as const
  const saved = { room: 'tea', seq: 7, incarnation: 3, note: 'later', savedAt: 4 }
  const inRoom = (room: string, seq: number) => ({ ...saved, room, seq })
  const settings: NotificationRecord = { user: 'Ann', rooms: 'mentions', direct: 'all', keywords: ['tea'] }
  const profile = { user: 'Ann', name: 'Ann', avatar: null, fields: { a: 1 }, updatedAt: 3 }
  const other = { ...profile, user: 'Bob', name: 'Élodie Müller-Anders' }
  const names = ['Ann', 'an', 'anna', 'ann~', 'Bob', 'annb']
  await commit(
    store,
    [],
    names.flatMap((name) => store.directory.userOps(user(name))),
  )
  await commit(
    store,
    [],
    [
      ...store.directory.profileOps({ ...profile, name: 'Zoë Ann' }, null),
      ...store.directory.profileOps(profile, { ...profile, name: 'Zoë Ann' }),
      ...store.directory.profileOps(other, null),
      store.directory.blockOp(block('Ann', 'Bob')),
      store.directory.blockOp(block('Ann', 'an')),
      store.directory.blockOp(block('Bob', 'Ann')),
      store.directory.blockOp(block('anna', 'an')),
      store.directory.privacy.putOp({ ...privacy, messages: 'everyone' }),
      store.directory.privacy.putOp(privacy),
      store.directory.privacy.putOp({ ...privacy, user: 'an' }),
      store.directory.notificationSettings.putOp(settings),
      store.directory.saved.putOp('Ann', { ...saved, note: null }),
      store.directory.saved.putOp('Ann', saved),
      store.directory.saved.putOp('Ann', inRoom('tea', 40)),
      store.directory.saved.putOp('Ann', inRoom('teapot', 1)),
      store.directory.saved.putOp('an', saved),
      store.directory.saved.countOp('Ann', 3),
      store.directory.contactOp('Ann', 'Bob', 7),
      store.directory.contactOp('an', 'Ann', 8),
    ],
  )
  for (const when of ['at once', 'after a restart']) {
    const { directory } = store
    t.same(await directory.usersLike('AN', '', 9), ['an', 'Ann', 'anna', 'annb', 'ann~'], when)
    t.same(await directory.usersLike('ann', 'Ann', 2), ['anna', 'annb'])
    t.same(await directory.usersLike('ann', 'a', 1), ['Ann'])
    t.same(await directory.usersLike('c', '', 9), [])
    t.same(await directory.profile('Ann'), profile)
    t.equal(await directory.profile('ann'), null)
    t.same(await directory.usersNamed('an', 9), ['Bob', 'Ann'], 'in the order of the words')
    t.same(await directory.usersNamed('ande', 9), ['Bob'])
    t.same(await directory.usersNamed('an', 1), ['Bob'])
    t.same(await directory.usersNamed('zoe', 9), [], 'a name of before')
    t.same([...directory.blocks('Ann').values()].map(({ blocked }) => blocked).sort(), ['Bob', 'an'])
    t.same(directory.blocks('Bob').get('Ann'), block('Bob', 'Ann'))
    t.same(directory.privacy.get('Ann'), privacy)
    t.equal(directory.privacy.get('Bob'), undefined)
    t.same(directory.notificationSettings.get('Ann'), settings)
    t.same(await directory.saved.get('Ann', 'tea', 7), saved)
    t.same(await directory.saved.list('Ann', 'tea'), [saved, inRoom('tea', 40)])
    t.same(await directory.saved.list('Ann', null), [saved, inRoom('tea', 40), inRoom('teapot', 1)])
    t.same([await directory.saved.count('Ann'), await directory.saved.count('an')], [3, 0])
    t.same([...directory.addedContacts('Ann')], [['Bob', 7]])
    t.same([...directory.addedBy('Ann')], [['an', 8]])
    await store.close()
    store = await place.open()
  }
  const { directory } = store
  await commit(store, [], [directory.deleteBlockOp('anna', 'an')])
  t.equal(directory.blocks('anna').size, 0)
  await commit(store, [], directory.deleteUserOps('Ann', 9, profile))
  t.same(await directory.usersNamed('a', 9), ['Bob'])
  await store.close()
  store = await place.open()
  t.equal(await store.directory.profile('Ann'), null)
  t.same([await store.directory.saved.list('Ann', null), await store.directory.saved.count('Ann')], [[], 0])
  t.same(await store.directory.saved.list('an', null), [saved])
  t.equal(store.directory.privacy.get('Ann'), undefined)
  t.equal(store.directory.notificationSettings.get('Ann'), undefined)
  t.same(store.directory.privacy.get('an'), { ...privacy, user: 'an' })
  t.same([store.directory.addedContacts('an').size, store.directory.addedBy('Bob').size], [0, 0])
  t.same([store.directory.blocks('Ann').size, store.directory.blocks('Bob').size], [0, 0], 'both ways')
  await store.close()
}

async function earlierRooms(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const room = { id: 'tea', access: 'public', name: 'Tea', createdBy: 'ann', createdAt: 1 }
  const member = { role: 'member', since: 3, joined: { messages: 4, events: 5 }, settings: { pinned: true }, later: 1 }
  await commit(store, [], [put('room', keyOf('tea'), JSON.stringify(room))])
  await commit(store, [], [put('member', keyOf('tea', 'ben'), JSON.stringify(member))])
  t.same(store.directory.room('tea'), { ...ROOM_DEFAULTS, ...room })
  t.same(store.directory.member('tea', 'ben'), { room: 'tea', user: 'ben', ...member })
  await store.close()
}

async function rooms(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const room = (id: string) =>
    ({
      id,
      access: 'private',
      direct: false,
      name: 'N',
      topic: null,
      avatar: null,
      slowMode: 5,
      write: 'moderators',
      archived: true,
      maxMembers: 9,
      policies: { links: 'deny' },
      createdBy: 'ann',
      createdAt: 1,
    }) as const
  const member = (id: string, user: string) =>
    ({ room: id, user, role: 'member', since: 3, joined: { messages: 4, events: 5 } }) as const
  const records = ['r', 'r2'].map((id) => ({
    bans: { room: id, user: 'mal', by: 'ann', at: 7, until: null, reason: 'noise' },
    mutes: { room: id, user: 'eve', by: 'ann', at: 8, until: 9 },
    links: { room: id, link: 'L1', by: 'ann', at: 10, expires: null, uses: 3 },
    joinRequests: { room: id, user: 'zoe', at: 11, message: 'please' },
    written: { room: id, user: 'pia' },
  }))
  const put = (all: typeof records) =>
    all.flatMap(({ bans, mutes, links, joinRequests, written }) => [
      store.directory.bans.putOp(bans),
      store.directory.mutes.putOp(mutes),
      store.directory.links.putOp(links),
      store.directory.joinRequests.putOp(joinRequests),
      store.directory.written.putOp(written),
    ])
  const kept = (id: string) => {
    const { bans, mutes, links, joinRequests, written } = store.directory
    return [bans, mutes, links, joinRequests, written].flatMap((kind) => [...kind.of(id).values()] as object[])
  }
  const receipt = (id: string, user: string, read: number) =>
    ({ room: id, user, since: 3, read, sharedRead: read - 1, delivered: 9, at: 7 }) as const
  const invite = { room: 'r', user: 'bob', by: 'ann', at: 6 }
  await commit(
    store,
    [],
    [
      store.directory.roomOp(room('r')),
      store.directory.roomOp(room('r2')),
      store.directory.memberOp(member('r', 'ann')),
      store.directory.memberOp(member('r2', 'ann')),
      store.directory.memberOp(member('r', 'eve')),
      store.directory.inviteOp(invite),
      store.directory.departedOp('r', 'joe'),
      store.directory.channelOp('news'),
      ...put(records),
      store.receipts.putOp(receipt('r', 'ann', 2)),
      store.receipts.putOp({ ...receipt('r', 'ann', 5), threads: { 2: 4, 30: 40 } }),
      store.receipts.putOp(receipt('r', 'eve', 6)),
      store.receipts.putOp(receipt('r2', 'ann', 8)),
    ],
  )
  for (const when of ['at once', 'after a restart']) {
    t.same(store.directory.room('r'), room('r'), when)
    t.same(
      [...store.directory.rooms()].map(({ id }) => id),
      ['r', 'r2'],
    )
    t.same(store.directory.member('r', 'ann'), member('r', 'ann'))
    t.same([...store.directory.members('r').keys()], ['ann', 'eve'])
    t.same([...store.directory.memberships('ann').keys()], ['r', 'r2'])
    t.same(store.directory.invite('r', 'bob'), invite)
    t.ok(store.directory.departed('r', 'joe'))
    t.same([...store.directory.channels()], ['news'])
    t.same(
      ['news', 'r'].map((name) => store.directory.isChannel(name)),
      [true, false],
    )
    for (const one of records) t.same(kept(one.bans.room), Object.values(one))
    t.same(store.directory.links.get('r', 'L1'), records[0]!.links)
    t.same(store.receipts.get('r', 'ann'), { ...receipt('r', 'ann', 5), threads: { 2: 4, 30: 40 } })
    t.same(store.receipts.get('r', 'eve'), receipt('r', 'eve', 6))
    t.equal(store.receipts.get('r2', 'eve'), undefined)
    await store.close()
    store = await place.open()
  }
  await commit(
    store,
    [],
    [
      ...store.directory.deleteMemberOps('r', 'eve'),
      store.directory.deleteInviteOp('r', 'bob'),
      store.directory.deleteDepartedOp('r', 'joe'),
      store.directory.links.deleteOp('r', 'L1'),
    ],
  )
  t.equal(store.directory.member('r', 'eve'), undefined)
  t.same([...store.directory.memberships('eve')], [])
  t.equal(store.receipts.get('r', 'eve'), undefined, 'it goes with the membership')
  t.equal(store.directory.invite('r', 'bob'), undefined)
  t.notOk(store.directory.departed('r', 'joe'))
  t.equal(store.directory.links.get('r', 'L1'), undefined)

  // A member who comes in the very commit that removes the room goes with it.
  await commit(
    store,
    [],
    [store.directory.memberOp(member('r', 'late')), ...put([records[0]!]), ...store.directory.deleteRoomOps('r')],
  )
  for (const when of ['at once', 'after a restart']) {
    t.equal(store.directory.room('r'), undefined, when)
    t.same([...store.directory.members('r').keys()], [])
    t.same(kept('r'), [])
    t.same(kept('r2'), Object.values(records[1]!), 'those of another room stay')
    t.same([...store.directory.memberships('ann').keys()], ['r2'])
    t.equal(store.receipts.get('r', 'ann'), undefined)
    t.equal(store.receipts.get('r', 'eve'), undefined)
    t.same(store.receipts.get('r2', 'ann'), receipt('r2', 'ann', 8))
    t.same([...store.directory.memberships('late').keys()], [])
    await store.close()
    store = await place.open()
  }
  await store.close()
}
