/** What nobody may read any more is not in the files either, a day later. */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import type { FoldLimits } from '../../broker/store/level/folding.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Store } from '../../broker/store/store.js'
import { append, commit, draft, folded } from './store-suite.js'

const START = 1_800_000_000_000
const HOUR = 3_600_000
const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }

/** Words that compression finds little in. */
const secret = (): string => randomBytes(18).toString('base64url')

/** Which of the words are in any file, or a third of one: compression may have cut them. */
async function found(directory: string, words: readonly string[]): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => /\.(log|ldb|sst)$/.test(name))
  const files = await Promise.all(names.map((name) => readFile(`${directory}/${name}`, 'latin1')))
  const pieces = (word: string): string[] => [word.slice(0, 8), word.slice(8, 16), word.slice(16)]
  return words.filter((word) => pieces(word).some((piece) => files.some((text) => text.includes(piece))))
}

const NEVER = { idleMs: 2 ** 30 }
const ALWAYS = { ...NEVER, commits: 1 }

const WAYS = [
  { how: 'in a chunk', fold: ALWAYS, reopened: false },
  { how: 'in the journal', fold: NEVER, reopened: false },
  { how: 'in a chunk, having gone through many files', fold: ALWAYS, reopened: true },
  { how: 'in the journal, having gone through many files', fold: NEVER, reopened: true },
]

t.test('what expired or was erased is off the disk within a day, without any traffic', async (t) => {
  for (const { how, fold, reopened, erased } of WAYS.flatMap((way) => [
    { ...way, erased: false },
    { ...way, erased: true },
  ])) {
    t.test(`${erased ? 'erased' : 'expired'} ${how}`, async (t) => {
      const location = `${t.testdir()}/store`
      let now = START
      const open = (fold: Partial<FoldLimits>): Promise<Store> =>
        openLevelStore({ location, sync: true, limits: LIMITS, fold, now: () => now })
      let store = await open(fold)
      const extra = erased ? null : { properties: Buffer.alloc(0), expiresAt: START + HOUR }
      const secrets = Array.from({ length: 100 }, secret)
      const kept = secret()
      for (const [i, word] of secrets.entries()) {
        const log = `m:${i % 3}`
        await append(store, draft(log, word, { extra }), draft(log, `${i}`))
        if (!reopened || i % 10 > 0) continue
        // A start moves what is in the journal of LevelDB into a file.
        await store.close()
        store = await open(fold)
      }
      await append(store, draft('m:0', kept))
      if (extra) {
        const word = secret()
        secrets.push(word)
        const message = { topic: 't', payload: Buffer.from(word), qos: 1, retain: true, clientId: null, extra } as const
        await commit(store, [], [store.queue.retainOp(message)])
      }
      await folded(store)
      t.same(await found(location, secrets), secrets, 'all there before')
      const gone = { why: 'deleted', by: 'ann', at: START } as const
      for (const log of erased ? ['m:0', 'm:1', 'm:2'] : []) {
        const seqs = (await store.log.read(log, 0, 1000, 1e6)).map(({ seq }) => seq)
        const secretSeqs = seqs.filter((seq) => seq % 2 === 1 && seq < 68)
        await append(store, draft(log, 'delete', { effect: { erase: { seqs: secretSeqs, gone } } }))
      }
      now = START + HOUR
      if (fold === NEVER) {
        // An idle broker folds.
        await store.close()
        store = await open(ALWAYS)
        await folded(store)
      }
      for (let hours = 2; hours <= 24; hours++) {
        now = START + hours * HOUR
        await store.log.sweep()
      }
      t.same(await found(location, [...secrets, kept]), [kept], 'only what is kept')
      await store.close()
    })
  }
})
