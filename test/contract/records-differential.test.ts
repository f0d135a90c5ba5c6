/**
 * The same random changes go to a store and to a model that is a Map; whatever follows the tables must come to the same memory: the store's own
 * records, a second memory that hears of changes late and sometimes twice, one that is loaded afterwards, and the store opened again.
 */

import t from 'tap'
import { type Change, GuardConflict } from '../../broker/store/changes.js'
import { Records } from '../../broker/store/directory/records.js'
import { type Guard, guardOf, guardOfOwner } from '../../broker/store/guards.js'
import { memoryDatabase } from '../../broker/store/level/database.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { PREFIXES } from '../../broker/store/level/record-keys.js'
import type { Op } from '../../broker/store/op.js'
import type { WebhookRecord } from '../../broker/store/outbox.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { keyOf, ownerOf, type Table, UNGUARDED } from '../../broker/store/tables.js'
import fc from '../helpers/fast-check.js'
import { Random } from '../helpers/random.js'
import { sent, strangeStore } from '../models/strange-store.js'

const random = Random.from('STORE_SEED')
const USERS = ['ann', 'Ann', 'bob']
const ROOMS = ['tea', 'Tea', 'den\0\x01']
const TABLES = Object.keys(PREFIXES) as Table[]

/** Guards of tables that are cleared with rooms and users. */
const CLEARED_OFTEN = /^(member|ban|invite|block|deviceShare)\0/

const user = fc.constantFrom(...USERS)
const room = fc.constantFrom(...ROOMS)
const time = fc.nat(3)

const WEBHOOK: Omit<WebhookRecord, 'id' | 'createdBy'> = {
  ...{ source: 'command', url: 'https://example.com/', events: ['*'], rooms: null, users: null, direct: false },
  ...{ secret: 'sealed', previous: null, enabled: true, why: null, createdAt: 1 },
}

/** Ops as the broker makes them. */
function opsOf({
  directory,
  receipts,
  moderation,
  accounts,
  expiring,
  webhooks,
  jobOwners,
}: Store): fc.Arbitrary<readonly Op[]> {
  const details = { direct: false, name: null, topic: null, avatar: null, ...ROOM_DEFAULTS }
  const one = (op: Op): readonly Op[] => [op]
  const role = fc.constantFrom('owner' as const, 'member' as const)
  return fc.oneof(
    fc
      .tuple(room, time)
      .map(([id, createdAt]) =>
        one(directory.roomOp({ id, access: 'public', ...details, createdBy: 'ann', createdAt })),
      ),
    room.map((id) => directory.deleteRoomOps(id)),
    fc
      .tuple(room, user, role, time)
      .map(([room, user, role, since]) =>
        one(directory.memberOp({ room, user, role, since, joined: { messages: since, events: 0 } })),
      ),
    fc.tuple(room, user).map(([room, user]) => directory.deleteMemberOps(room, user)),
    fc.tuple(room, user, user, time).map(([room, user, by, at]) => one(directory.inviteOp({ room, user, by, at }))),
    fc.tuple(room, user).map(([room, user]) => one(directory.deleteInviteOp(room, user))),
    fc.tuple(room, user).map(([room, user]) => one(directory.departedOp(room, user))),
    fc
      .tuple(room, user, time)
      .map(([room, user, at]) => one(directory.bans.putOp({ room, user, by: 'ann', at, until: null, reason: null }))),
    fc.tuple(room, user).map(([room, user]) => one(directory.bans.wipeOp(room, user))),
    fc.tuple(user, user, time).map(([user, blocked, at]) => one(directory.blockOp({ user, blocked, at }))),
    fc.tuple(user, user, time).map(([user, wanted, at]) => one(directory.contactOp(user, wanted, at))),
    fc.tuple(user, time).map(([id, createdAt]) => directory.userOps({ id, roles: [], passwordHash: null, createdAt })),
    fc.tuple(user, time).map(([id, at]) => directory.deleteUserOps(id, at)),
    fc
      .tuple(user, user, time)
      .map(([bot, owner, createdAt]) =>
        one(directory.bots.putOp({ bot, owner, createdAt, commands: [{ name: `c${createdAt}`, description: 'x' }] })),
      ),
    fc
      .tuple(user, user, time)
      .map(([device, owner, createdAt]) => one(directory.devices.putOp({ device, owner, name: null, createdAt }))),
    fc
      .tuple(user, user, time)
      .map(([device, user, at]) => one(directory.devices.shares.putOp({ device, user, may: 'read', at }))),
    fc
      .tuple(room, user, time)
      .map(([room, user, read]) =>
        one(receipts.putOp({ room, user, since: 1, read, sharedRead: read, delivered: 0, at: 1 })),
      ),
    fc.tuple(user, time).map(([user, at]) => one(accounts.removalOp({ user, at, rooms: null, person: user }))),
    fc
      .tuple(user, room, time)
      .map(([user, network, failures]) =>
        expiring.countOps('loginFailures', [user, network], { failures, last: 1, refusedUntil: 0, until: 9 }),
      ),
    fc.tuple(user, time).map(([user, at]) => expiring.countOps('guesses', user, { tokens: 1, at, until: 9 })),
    user.map((user) => one(expiring.deleteOp('guesses', user))),
    fc.tuple(user, time).map(([user, at]) => one(expiring.putOp('lastMessage', [user, 'tea'], { at, until: 9 }))),
    time.map((at) => moderation.deleteReportOps(`${at}`)),
    time.map((at) => webhooks.deleteOps(`${at}`)),
    fc.tuple(time, user).map(([at, createdBy]) => one(webhooks.putOp({ ...WEBHOOK, id: `${at}`, createdBy }))),
    fc.tuple(time, time).map(([at, count]) => one(jobOwners.ownerOp(`${at}`, `1.${count}`))),
    time.map((at) => one(jobOwners.deleteOwnerOp(`${at}`))),
    time.map((node) => one(jobOwners.candidateOp(node))),
    time.map((node) => one(jobOwners.deleteCandidateOp(node))),
  )
}

/** What can be seen of the records in memory. */
async function seen({
  directory,
  receipts,
  moderation,
  expiring,
  webhooks,
  jobOwners,
}: Pick<Store, 'directory' | 'receipts' | 'moderation' | 'expiring' | 'webhooks' | 'jobOwners'>): Promise<unknown> {
  const pairs = <T>(of: (room: string, user: string) => T): T[] =>
    ROOMS.flatMap((room) => USERS.map((user) => of(room, user)))
  const sorted = (values: Iterable<unknown>): string[] => [...values].map((value) => JSON.stringify(value)).sort()
  return {
    rooms: sorted(directory.rooms()),
    like: ROOMS.map((id) => directory.roomsLike(id).toSorted()),
    members: ROOMS.map((id) => sorted(directory.members(id).values())),
    memberships: USERS.map((id) => sorted(directory.memberships(id).values())),
    each: pairs((room, user) => [
      directory.member(room, user),
      directory.invite(room, user),
      directory.departed(room, user),
      directory.bans.get(room, user),
      receipts.get(room, user),
      expiring.count('loginFailures', [user, room], 8),
    ]),
    guesses: USERS.map((user) => expiring.count('guesses', user, 8)),
    invitesBy: USERS.map((id) => directory.invitesBy(id)),
    users: await Promise.all(USERS.map((id) => directory.user(id))),
    blocks: USERS.map((id) => sorted(directory.blocks(id).values())),
    contacts: USERS.map((id) => [sorted(directory.addedContacts(id)), sorted(directory.addedBy(id))]),
    bots: USERS.map((id) => [directory.bots.get(id), directory.bots.ofOwner(id)]),
    commands: [0, 1, 2].map((at) => directory.bots.byCommand(`c${at}`)),
    devices: USERS.map((id) => [directory.devices.get(id), sorted(directory.devices.ownedBy(id).values())]),
    shares: USERS.map((id) => [
      sorted(directory.devices.shares.of(id).values()),
      sorted(directory.devices.sharedWith(id).values()),
    ]),
    reports: [...moderation.reports.values()],
    webhooks: [sorted(webhooks.all()), [0, 1, 2].map((at) => webhooks.get(`${at}`))],
    jobs: [[0, 1, 2].map((at) => jobOwners.owner(`${at}`)), sorted(jobOwners.candidates())],
  }
}

/** The tables, as a Map. */
class Model {
  readonly #records = new Map<string, string>()

  apply(op: Op): void {
    if (op.type === 'put') this.#records.set(`${op.table} ${op.key}`, op.value.toString())
    else if (op.type === 'delete') this.#records.delete(`${op.table} ${op.key}`)
    else if (op.type === 'clear')
      for (const name of [...this.#records.keys()]) {
        const key = name.slice(op.table.length + 1)
        if (name.startsWith(`${op.table} `) && key.includes('\0') && ownerOf(key) === op.owner)
          this.#records.delete(name)
      }
  }

  get(table: Table): string[] {
    return [...this.#records]
      .filter(([name]) => name.startsWith(`${table} `))
      .map(([name, value]) => `${name}=${value}`)
      .sort()
  }
}

async function stored(store: Store, table: Table): Promise<string[]> {
  const found: string[] = []
  await store.tables.scan(table, (key, value) => found.push(`${table} ${key}=${value.toString()}`))
  return found.sort()
}

/** Resolves with whether it was committed. */
function tried(store: Store, change: Pick<Change, 'ops' | 'guards'>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    store.commit({
      drafts: [],
      ...change,
      settled: (error) => (error && !(error instanceof GuardConflict) ? reject(error) : resolve(error === null)),
    })
  })
}

t.test('whatever follows the tables comes to the same memory', async (t) => {
  t.comment(`STORE_SEED=${random.seed}`)
  const openDatabase = await memoryDatabase()
  const builders = await openLevelStore({ location: null, sync: false, limits: { queueMessages: 9, queueBytes: 9 } })
  // A step is some changes at once, then perhaps a restart.
  const steps = fc.array(
    fc.record({ changes: fc.array(opsOf(builders), { minLength: 1, maxLength: 6 }), restart: fc.boolean() }),
    { minLength: 1, maxLength: 8 },
  )
  const open = (): Promise<Store> =>
    openLevelStore({ location: null, sync: false, limits: { queueMessages: 9, queueBytes: 9 }, openDatabase })
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      let store = await open()
      for (const table of TABLES)
        for (const line of await stored(store, table))
          await tried(store, { ops: [{ type: 'delete', table, key: line.slice(table.length + 1, line.indexOf('=')) }] })
      let late = await strangeStore(store, random)
      const model = new Model()
      for (const { changes, restart } of steps) {
        await Promise.all(changes.map((ops, i) => tried(i % 2 ? store : late, { ops })))
        for (const ops of changes) for (const op of ops) model.apply(sent(op))
        for (const table of TABLES)
          if (!['heartbeat'].includes(table)) equal(await stored(store, table), model.get(table), `table ${table}`)
        // What is told late has come when another change has settled there.
        await tried(late, { ops: [{ type: 'touch', guard: 'x' }] })
        const expected = await seen(store)
        equal(await seen(late), expected, 'a memory that hears late')
        equal(await seen((await Records.follow(store)).reader), expected, 'a memory that begins now')
        if (!restart) continue
        await store.close()
        store = await open()
        late = await strangeStore(store, random)
        equal(await seen(store), expected, 'after a restart')
      }
      await store.close()
    }),
    { numRuns: 60, seed: random.seed },
  )
  await builders.close()
  t.pass()
})

t.test('guards fail exactly when what they name was changed', async (t) => {
  t.comment(`STORE_SEED=${random.seed}`)
  const store = await openLevelStore({ location: null, sync: false, limits: { queueMessages: 9, queueBytes: 9 } })
  const guards: Guard[] = TABLES.filter((table) => !UNGUARDED.has(table)).flatMap((table) => [
    ...USERS.map((id) => guardOf(table, keyOf(id))),
    ...[...ROOMS, ...USERS].flatMap((owner) => USERS.map((name) => guardOf(table, keyOf(owner, name)))),
    ...[...ROOMS, ...USERS].map((owner) => guardOfOwner(table, owner)),
  ])
  const changed = (ops: readonly Op[]): Set<Guard> => {
    const found = new Set<Guard>()
    for (const op of ops) {
      if (op.type === 'put' || op.type === 'delete') {
        found.add(guardOf(op.table, op.key))
        if (op.key.includes('\0')) found.add(guardOfOwner(op.table, ownerOf(op.key)))
      } else if (op.type === 'clear') {
        found.add(guardOfOwner(op.table, op.owner))
        for (const guard of guards) if (guard.startsWith(`${guardOfOwner(op.table, op.owner)}\0`)) found.add(guard)
      }
    }
    return found
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(opsOf(store), { maxLength: 3 }),
      fc.oneof(fc.constantFrom(...guards), fc.constantFrom(...guards.filter((guard) => CLEARED_OFTEN.test(guard)))),
      async (changes, guard) => {
        const at = store.position
        const ops = changes.flat().filter((op) => !('table' in op) || !UNGUARDED.has(op.table))
        // Half of them in the commit before, half in the same.
        const before = tried(store, { ops })
        if (random.chance(0.5)) await before
        const probe: Op = { type: 'touch', guard: 'nothing' }
        equal(await tried(store, { ops: [probe], guards: { at, keys: [guard] } }), !changed(ops).has(guard), guard)
      },
    ),
    { numRuns: 400, seed: random.seed },
  )
  await store.close()
  t.pass()
})

function equal(actual: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (one !== other) throw new Error(`${what}:\n${one}\n${other}`)
}
