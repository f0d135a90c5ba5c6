/** What each record that is loaded costs: bytes, CPU at the start, and time for a change. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { commit } from '../../broker/store/commit.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Op } from '../../broker/store/op.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import type { Table } from '../../broker/store/tables.js'
import type { Opened } from '../load/open-store.js'
import { topictalk } from '../peers/topictalk.js'
import type { Suite, Values } from '../suite.js'

const OPENER = fileURLToPath(new URL('../load/open-store.js', import.meta.url))
const PER_COMMIT = 5_000
/** Members of a room, and rooms of a member. */
const PER_ROOM = 10

/** Makes the writes of record `i`. */
type Maker = (store: Store, i: number) => readonly Op[]

const user = (i: number): string => `user-${i}`
const room = (i: number): string => `room-${i}`
/** Each in as many rooms as a room has members, whatever the number of records. */
const member = (i: number): string => user(Math.floor(i / PER_ROOM ** 2) * PER_ROOM + (i % PER_ROOM))

/** By name; the number of records at scale 1. */
const KINDS: readonly [name: string, table: Table, count: number, maker: Maker][] = [
  [
    'rooms',
    'room',
    100_000,
    ({ directory }, i) => [
      directory.roomOp({
        ...{ id: room(i), access: 'public', direct: false, name: `Room ${i}`, topic: null, avatar: null },
        ...{ ...ROOM_DEFAULTS, createdBy: user(i), createdAt: 1_700_000_000_000 },
      }),
    ],
  ],
  [
    'memberships',
    'member',
    1_000_000,
    ({ directory }, i) => [
      directory.memberOp({
        ...{ room: room(Math.floor(i / PER_ROOM)), user: member(i), role: 'member', since: 1_700_000_000_000 },
        joined: { messages: i, events: i },
      }),
    ],
  ],
  [
    'receipts',
    'receipt',
    1_000_000,
    ({ receipts }, i) => [
      receipts.putOp({
        ...{ room: room(Math.floor(i / PER_ROOM)), user: member(i), since: 1_700_000_000_000, read: i },
        ...{ sharedRead: i, delivered: i, at: 1_700_000_000_000 },
      }),
    ],
  ],
  [
    'users',
    'user',
    100_000,
    ({ directory }, i) => directory.userOps({ id: user(i), roles: [], passwordHash: null, createdAt: 1 }),
  ],
  [
    'contacts',
    'contact',
    100_000,
    ({ directory }, i) => [directory.contactOp(user(i), user(i + 1), 1_700_000_000_000)],
  ],
  [
    'blocks',
    'block',
    100_000,
    ({ directory }, i) => [directory.blockOp({ user: user(i), blocked: user(i + 1), at: 1 })],
  ],
  [
    'chat subscriptions',
    'subscription',
    100_000,
    ({ sessions }, i) => sessions.subscribeOps(`${user(i)}/phone`, [{ topic: 'rooms/+/messages', qos: 1 }]),
  ],
  [
    'plain subscriptions',
    'subscription',
    100_000,
    ({ sessions }, i) => sessions.subscribeOps(`${user(i)}/phone`, [{ topic: `factory/${i}/+/state`, qos: 1 }]),
  ],
]

export const records: Suite = {
  name: 'records',
  title: 'What is loaded at the start and held in memory, per record',
  columns: [
    { key: 'bytes', label: 'bytes each', unit: 'count' },
    { key: 'cpu', label: 'CPU each', unit: 'microseconds' },
    { key: 'start', label: 'start', unit: 'seconds' },
    { key: 'change', label: 'a change', unit: 'microseconds' },
  ],
  main: { key: 'bytes', better: 'less' },
  peers: [topictalk],
  tasks: ({ scale }) =>
    KINDS.map(([name, table, count, maker]) => {
      const scaled = Math.max(1000, Math.round(count * scale))
      return { cell: `${scaled} ${name}`, measure: () => measure(table, scaled, maker) }
    }),
}

async function measure(table: Table, count: number, maker: Maker): Promise<Values> {
  const directory = await mkdtemp(join(tmpdir(), 'topictalk-bench-'))
  try {
    const empty = await opened(await filled(join(directory, 'empty'), 0, maker), table)
    const full = await opened(await filled(join(directory, 'full'), count, maker), table)
    return {
      bytes: (full.held - empty.held) / count,
      cpu: (1e6 * (full.cpu - empty.cpu)) / count,
      start: full.seconds,
      change: full.change,
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function filled(location: string, count: number, maker: Maker): Promise<string> {
  const store = await openLevelStore({
    location,
    sync: false,
    limits: { queueMessages: 1000, queueBytes: 1_048_576 },
  })
  for (let i = 0; i < count; i += PER_COMMIT) {
    const ops = Array.from({ length: Math.min(PER_COMMIT, count - i) }, (_, j) => maker(store, i + j))
    await commit(store, { ops: ops.flat() })
  }
  await store.close()
  return location
}

async function opened(location: string, table: Table): Promise<Opened> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', OPENER, location, table])
  return JSON.parse(stdout)
}
