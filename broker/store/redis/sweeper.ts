/** Removes what is over: payloads that expired, blocks of logs that were dropped, records of client-chosen ids that are no longer searched. */
import { BUCKETS } from '../cid-digest.js'
import { hourOf } from '../gone.js'
import { decodeMessage } from '../packet-codec.js'
import type { UpkeepOp } from './commit-words.js'
import { GENERATIONS, generationAt } from './dedupe.js'
import { BLOCK_ENTRIES } from './entry-codec.js'
import type { Keys } from './keys.js'
import { PAGE, type Reader } from './reader.js'
import { readRetained } from './retained.js'

/** Ms after which what was removed leaves the append-only file, by rewriting it. */
const REWRITE_AFTER = 12 * 3_600_000

export interface SweeperDeps {
  readonly reader: Reader
  readonly keys: Keys
  readonly commit: (ops: readonly UpkeepOp[]) => Promise<void>
  readonly now: () => number
  readonly dedupeDays: number
}

export class Sweeper {
  readonly #deps: SweeperDeps

  constructor(deps: SweeperDeps) {
    this.#deps = deps
  }

  /** Handles complete hours only: what expires later in the current one is found in the next. */
  async sweep(): Promise<void> {
    await this.#expireEntries()
    await this.#expireRetained()
    await this.#removeLogs()
    await this.#removeOldRecords()
    await this.#trimJournal()
    await this.#rewrite()
  }

  async #expireEntries(): Promise<void> {
    const { reader, keys, commit, now } = this.#deps
    for (;;) {
      const args = [keys.due, '-inf', hourOf(now()) - 1, 'LIMIT', 0, PAGE]
      const due = ((await reader.call('ZRANGEBYSCORE', args)) as Buffer[]).map(String)
      if (due.length === 0) return
      await commit(due.map(expireOp))
    }
  }

  async #expireRetained(): Promise<void> {
    const { reader, keys, commit, now } = this.#deps
    const args = [keys.retainedDue, '-inf', hourOf(now()) - 1]
    const topics = ((await reader.call('ZRANGEBYSCORE', args)) as Buffer[]).map(String)
    for (let i = 0; i < topics.length; i += PAGE) {
      const page = topics.slice(i, i + PAGE)
      const [facts, packets] = await Promise.all([
        reader.hashFields(keys.retainedFacts, page),
        reader.hashFields(keys.retained, page),
      ])
      const ops = page.flatMap((topic, j): UpkeepOp[] => {
        const packet = packets[j]
        const expiresAt = packet ? (decodeMessage(readRetained(packet).packet).extra?.expiresAt ?? 0) : 0
        if (expiresAt === 0 || expiresAt > now()) return []
        return [{ type: 'expireRetained', topic, at: Number(facts[j]!.toString().split('\0')[2]) }]
      })
      if (ops.length > 0) await commit(ops)
    }
  }

  async #removeLogs(): Promise<void> {
    const { reader, keys } = this.#deps
    for await (const page of reader.setPages(keys.removed))
      for (const member of page) {
        const [life, tail, head, ...name] = member.split('\0') as [string, string, string, ...string[]]
        const first = Math.floor((Number(tail) - 1) / BLOCK_ENTRIES)
        const last = Math.floor((Number(head) - 1) / BLOCK_ENTRIES)
        for (let block = first; block <= last; block += PAGE) {
          const blocks = Array.from({ length: Math.min(PAGE, last - block + 1) }, (_, i) => block + i)
          await reader.call(
            'UNLINK',
            blocks.map((number) => keys.block(name.join('\0'), Number(life), number)),
          )
        }
        await reader.call('SREM', [keys.removed, member])
      }
  }

  async #removeOldRecords(): Promise<void> {
    const { reader, keys, now, dedupeDays } = this.#deps
    const oldest = generationAt(now(), dedupeDays) - GENERATIONS
    const swept = Number((await reader.hashField(keys.meta, 'dedupe')) ?? oldest)
    for (let generation = Math.max(swept + 1, oldest - GENERATIONS); generation <= oldest; generation++)
      for (let bucket = 0; bucket < BUCKETS; bucket += PAGE)
        await reader.call(
          'UNLINK',
          Array.from({ length: PAGE }, (_, i) => keys.dedupe(generation, bucket + i)),
        )
    await reader.call('HSET', [keys.meta, 'dedupe', String(oldest)])
  }

  /** What is known by all nodes: what was committed before the last sweep. */
  async #trimJournal(): Promise<void> {
    const { reader, keys, commit } = this.#deps
    const [last, before] = await reader.hashFields(keys.meta, ['commit', 'swept'])
    const until = Number(before ?? 0)
    await reader.call('HSET', [keys.meta, 'swept', last ?? '0'])
    await reader.call('XTRIM', [keys.journal, 'MINID', `${until + 1}-0`])
    for await (const page of reader.hashPages(keys.subscriptions)) {
      const old = page.filter(([, number]) => Number(number) <= until)
      const ops = old.map(([level, number]): UpkeepOp => ({ type: 'forgetLevel', level, commit: number.toString() }))
      if (ops.length > 0) await commit(ops)
    }
  }

  /** What was removed is still in the append-only file, until that is written anew. */
  async #rewrite(): Promise<void> {
    const { reader, keys, now } = this.#deps
    const since = Number((await reader.hashField(keys.meta, 'wiped')) ?? 0)
    if (since === 0 || now() - since < REWRITE_AFTER) return
    await reader.call('HDEL', [keys.meta, 'wiped'])
    await reader.call('BGREWRITEAOF', []).catch((error: Error) => {
      if (!error.message.includes('in progress')) throw error
    })
  }
}

function expireOp(member: string): UpkeepOp {
  const [, incarnation, block, ...log] = member.split('\0') as [string, string, string, ...string[]]
  return { type: 'expire', member, log: log.join('\0'), incarnation, block }
}
