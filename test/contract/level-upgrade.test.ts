/** Upgrades of the store in place: complete, or continued, whatever happened in between; never half done and taken for done. */

import { MemoryLevel } from 'memory-level'
import t from 'tap'
import { Database } from '../../broker/store/level/database.js'
import type { LevelDatabase } from '../../broker/store/level/level-database.js'
import { type Formats, type UpgradeNotice, type UpgradeStep, upgradeText } from '../../broker/store/level/upgrade.js'
import fc from '../helpers/fast-check.js'

/** Records of the kind `q` get a suffix, and move to the kind `Q`. */
const FIRST: UpgradeStep = {
  from: 'topictalk 1',
  to: 'topictalk 2',
  what: 'things',
  ranges: [
    { gte: 'q', lt: 'r' },
    { gte: 'y', lt: 'z' },
  ],
  convert(key, value, batch) {
    if (key.startsWith('y')) return batch.put(key, `${value}, again`)
    batch.del(key)
    batch.put(`Q${key.slice(1)}`, `${value}, moved`)
  },
}
/** Counts how often each was converted. */
const SECOND: UpgradeStep = {
  from: 'topictalk 2',
  to: 'topictalk 3',
  what: 'moved things',
  ranges: [{ gte: 'Q', lt: 'R' }],
  convert: (key, value, batch) => batch.put(key, `${value} once`),
}
const FORMATS: Formats = { current: 'topictalk 3', steps: [FIRST, SECOND] }
const RECORDS = 2500

const name = (i: number): string => i.toString().padStart(5, '0')

async function filled(): Promise<LevelDatabase> {
  const level = new MemoryLevel<string, Buffer>({ valueEncoding: 'buffer' })
  await level.open()
  const batch = level.batch()
  for (let i = 0; i < RECORDS; i++) batch.put(`q${name(i)}`, Buffer.from(`${i}`))
  for (let i = 0; i < 3; i++) batch.put(`y${name(i)}`, Buffer.from(`${i}`))
  batch.put('!format', Buffer.from('topictalk 1')).put('other', Buffer.from('stays'))
  await batch.write()
  return level as unknown as LevelDatabase
}

async function contentOf(level: LevelDatabase): Promise<Record<string, string>> {
  const content: Record<string, string> = {}
  for await (const [key, value] of level.iterator()) content[key] = value.toString()
  return content
}

const UPGRADED = {
  ...Object.fromEntries(Array.from({ length: RECORDS }, (_, i) => [`Q${name(i)}`, `${i}, moved once`])),
  ...Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`y${name(i)}`, `${i}, again`])),
  '!format': 'topictalk 3',
  other: 'stays',
}

/** Like a process that dies: from the `left`th write on nothing reaches the disk. Counts writes, and the operations of the largest. */
function dying(level: LevelDatabase, left = Number.POSITIVE_INFINITY) {
  const counts = { writes: 0, most: 0 }
  const batch = () => {
    const chain = level.batch()
    const write = chain.write.bind(chain)
    return Object.assign(chain, {
      write: async (options: object) => {
        counts.most = Math.max(counts.most, chain.length)
        if (counts.writes++ >= left) throw new Error('killed')
        await write(options as never)
      },
    })
  }
  // The store is opened again by the test.
  const replaced: Record<string | symbol, unknown> = { batch, close: async () => {} }
  const get = (target: LevelDatabase, key: string | symbol): unknown => {
    const value = replaced[key] ?? Reflect.get(target, key)
    return typeof value === 'function' ? value.bind(level) : value
  }
  return { level: new Proxy<LevelDatabase>(level, { get }), counts }
}

function open(level: LevelDatabase, formats = FORMATS, notices: UpgradeNotice[] = []): Promise<Database> {
  const notice = (one: UpgradeNotice): void => void notices.push(one)
  return Database.open(null, async () => level, { upgrade: { formats, notice } })
}

t.test('each step is told of before its first write, and the format is written last', async (t) => {
  const level = await filled()
  const notices: UpgradeNotice[] = []
  const { level: dead } = dying(level, 0)
  await t.rejects(open(dead, FORMATS, notices), /the upgrade failed, and is continued at the next start: killed/)
  t.match(notices, [{ stage: 'begins', records: RECORDS + 3 }])
  t.equal((await contentOf(level))['!format'], 'topictalk 1')
  t.match(
    upgradeText(notices[0]!),
    /from topictalk 1 to topictalk 2: 2503 records \(things\).*a backup made before is needed/,
  )
  notices.length = 0
  await open(level, FORMATS, notices)
  t.same(
    notices.map(({ stage, to, converted }) => [stage, to, converted]),
    [
      ['begins', 'topictalk 2', 0],
      ['done', 'topictalk 2', RECORDS + 3],
      ['begins', 'topictalk 3', 0],
      ['done', 'topictalk 3', RECORDS],
    ],
  )
  t.same(await contentOf(level), UPGRADED)
  notices.length = 0
  await open(level, FORMATS, notices)
  t.same(notices, [], 'once')
})

t.test('killed before any of its writes, an upgrade is continued', async (t) => {
  const whole = dying(await filled())
  await open(whole.level)
  t.ok(whole.counts.writes > 8, 'several pages')
  for (let left = 0; left < whole.counts.writes; left++) {
    const level = await filled()
    await t.rejects(open(dying(level, left).level), /killed/)
    const { '!format': format } = await contentOf(level)
    t.match(format, /^topictalk (1|1 to 2|2|2 to 3)$/)
    const older: Formats = { current: 'topictalk 1', steps: [] }
    if (left > 0)
      await t.rejects(
        open(dying(level).level, older),
        /^memory: the store has format .*Start the version that wrote it/,
      )
    const notices: UpgradeNotice[] = []
    await open(level, FORMATS, notices)
    t.same(await contentOf(level), UPGRADED, `after ${left} writes`)
    if (format!.includes(' to ')) t.equal(notices[0]!.stage, 'continues')
  }
})

t.test('killed again and again, it comes to its end', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 8 }), async (lives) => {
      const level = await filled()
      for (const left of lives) await open(dying(level, left).level).catch(() => {})
      await open(level)
      t.same(await contentOf(level), UPGRADED)
    }),
    { numRuns: 15 },
  )
})

t.test('records are converted in pages, not all at once', async (t) => {
  const { level, counts } = dying(await filled())
  await open(level)
  t.ok(counts.most <= 2001, `${counts.most} operations in one write`)
})

t.test('without somebody to tell, an old store is refused with advice', async (t) => {
  const level = await filled()
  const refused = Database.open(null, async () => dying(level, 0).level, {
    upgrade: { formats: FORMATS, notice: null },
  })
  await t.rejects(
    refused,
    /has format "topictalk 1"; topictalk serve upgrades it to topictalk 3\. Copy the data directory first/,
  )
  t.equal((await contentOf(level))['!format'], 'topictalk 1')
  await level.put('!format', Buffer.from('topictalk 9'))
  await t.rejects(open(level), /format "topictalk 9", this version reads topictalk 3\. Start the version that wrote it/)
})
