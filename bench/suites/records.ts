/** What each record that is held in memory costs: bytes, and CPU at the start. */
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
import type { Opened } from '../load/open-store.js'
import type { Suite, Values } from '../suite.js'

const OPENER = fileURLToPath(new URL('../load/open-store.js', import.meta.url))
const PER_COMMIT = 5_000
/** Members of a room, where there are more records than rooms. */
const PER_ROOM = 10

/** Makes the writes of record `i`. */
type Maker = (store: Store, i: number) => readonly Op[]

const user = (i: number): string => `user-${i}`
const room = (i: number): string => `room-${i}`

/** By name; the number of records at scale 1. */
const KINDS: readonly [name: string, count: number, maker: Maker][] = [
  [
    'rooms',
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
    1_000_000,
    ({ directory }, i) => [
      directory.memberOp({
        ...{ room: room(Math.floor(i / PER_ROOM)), user: user(i % 100_000), role: 'member', since: 1_700_000_000_000 },
        joined: { messages: i, events: i },
      }),
    ],
  ],
  [
    'receipts',
    1_000_000,
    ({ receipts }, i) => [
      receipts.putOp({
        ...{ room: room(Math.floor(i / PER_ROOM)), user: user(i % 100_000), since: 1_700_000_000_000, read: i },
        ...{ sharedRead: i, delivered: i, at: 1_700_000_000_000 },
      }),
    ],
  ],
  [
    'users',
    100_000,
    ({ directory }, i) => directory.userOps({ id: user(i), roles: [], passwordHash: null, createdAt: 1 }),
  ],
  ['contacts', 100_000, ({ directory }, i) => [directory.contactOp(user(i), user(i + 1), 1_700_000_000_000)]],
  ['blocks', 100_000, ({ directory }, i) => [directory.blockOp({ user: user(i), blocked: user(i + 1), at: 1 })]],
  [
    'chat subscriptions',
    100_000,
    ({ sessions }, i) => sessions.subscribeOps(`${user(i)}/phone`, [{ topic: 'rooms/+/messages', qos: 1 }]),
  ],
  [
    'plain subscriptions',
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
  ],
  main: { key: 'bytes', better: 'less' },
  oursOnly: true,
  tasks: ({ scale }) =>
    KINDS.map(([name, count, maker]) => {
      const scaled = Math.max(1000, Math.round(count * scale))
      return { cell: `${scaled} ${name}`, measure: () => measure(scaled, maker) }
    }),
}

async function measure(count: number, maker: Maker): Promise<Values> {
  const directory = await mkdtemp(join(tmpdir(), 'topictalk-bench-'))
  try {
    const empty = await opened(await filled(join(directory, 'empty'), 0, maker))
    const full = await opened(await filled(join(directory, 'full'), count, maker))
    return {
      bytes: (full.held - empty.held) / count,
      cpu: (1e6 * (full.cpu - empty.cpu)) / count,
      start: full.seconds,
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

async function opened(location: string): Promise<Opened> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', OPENER, location])
  return JSON.parse(stdout)
}
