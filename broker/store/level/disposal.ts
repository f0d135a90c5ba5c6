/**
 * Removes payloads from the disk that may not be read any more. A chunk with such payloads is rewritten without them;
 * its old versions, and the journal's, are removed by the next compaction.
 */

import { hourOf } from '../gone.js'
import type { Extra } from '../logs.js'
import { decodeMessage } from '../packet-codec.js'
import type { StoreCounts } from '../store.js'
import { Chunk } from './chunk.js'
import type { ChunkCache } from './chunk-cache.js'
import type { Compaction } from './compaction.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import type { LevelNotes } from './notes.js'
import { WriteBatch } from './operation.js'
import type { Retained } from './retained.js'
import type { RoomLog } from './room-log.js'

export interface DisposalDeps {
  readonly database: Database
  readonly logs: LevelLogs
  readonly notes: LevelNotes
  readonly cache: ChunkCache
  readonly retained: Pick<Retained, 'expired'>
  readonly compaction: Compaction
  readonly counts: StoreCounts
  /** Runs the task while no other maintenance does. */
  readonly alone: <T>(task: () => Promise<T>) => Promise<T>
  /** Runs the task between commits. */
  readonly exclusive: (task: () => Promise<void>) => Promise<void>
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

export class Disposal {
  readonly #deps: DisposalDeps

  constructor(deps: DisposalDeps) {
    this.#deps = deps
  }

  async sweep(): Promise<void> {
    await this.#deps.alone(() => this.erase())
    await this.#expire()
    await this.#expireRetained()
    await this.#deps.compaction.run()
  }

  /** Handles complete hours only: what expires later in the current one is found in the next. */
  async #expire(): Promise<void> {
    const { database, logs, alone, now, onFault } = this.#deps
    for await (const page of database.keyPages(ranges.dueUntil(hourOf(now()) - 1)))
      for (const key of page) {
        const { log, first } = keys.dueOf(key)
        await logs.load([log])
        // A chunk that cannot be read must not block the others.
        await alone(() => this.#expireIn(logs.peek(log)!, first, key)).catch(onFault)
      }
  }

  async #expireIn(log: RoomLog, first: number, dueKey: string): Promise<void> {
    const { notes } = this.#deps
    const batch = new WriteBatch()
    batch.del(dueKey)
    const found = await this.#chunkOf(log, first)
    const chunk = await this.#strip(log, found, batch)
    for (const { seq, gone } of chunk?.entries ?? []) if (gone) await notes.forget(log.name, seq, seq)
  }

  /** Rewrites the chunks of all logs with erased entries. To be called while no other maintenance runs. */
  async erase(): Promise<void> {
    const { logs, onFault } = this.#deps
    for (const log of [...logs.erased]) {
      logs.erased.delete(log)
      await this.#eraseIn(log).catch((error) => {
        // Still erased for readers, and retried later.
        logs.erased.add(log)
        onFault(error)
      })
    }
  }

  async #eraseIn(log: RoomLog): Promise<void> {
    const { logs } = this.#deps
    const seqs = [...log.erasing.keys()].filter((seq) => seq <= log.folded).sort((a, b) => a - b)
    if (seqs.length < log.erasing.size) logs.erased.add(log)
    for (let done = 0; done < seqs.length; ) {
      const chunk = await this.#chunkOf(log, seqs[done]!)
      const last = chunk?.last ?? log.tail - 1
      const inside: number[] = []
      while (done < seqs.length && seqs[done]! <= last) inside.push(seqs[done++]!)
      // Should not happen; stop instead of looping forever.
      if (inside.length === 0) return void logs.erased.add(log)
      const batch = new WriteBatch()
      const followed = log.stageErased(inside, batch)
      await this.#strip(log, chunk, batch)
      log.erasedOnDisk(followed)
    }
  }

  async #chunkOf(log: RoomLog, seq: number): Promise<Chunk | undefined> {
    if (seq < log.tail || seq > log.folded) return undefined
    return log.cachedChunk(seq) ?? this.#deps.logs.fetch(log, seq)
  }

  /** Rewrites a chunk without the payloads that are gone, together with `batch`; returns the chunk afterwards. */
  async #strip(log: RoomLog, chunk: Chunk | undefined, batch: WriteBatch): Promise<Chunk | undefined> {
    const { cache, now } = this.#deps
    const stripped = chunk && without(log, chunk, now())
    if (stripped) {
      batch.put(keys.chunk(log.name, stripped.first), stripped.value)
      batch.put(keys.stale(keys.chunk(log.name, stripped.first)), String(now()))
    }
    await this.#write(batch)
    if (!stripped) return chunk
    log.rewritten++
    cache.replace(log, stripped)
    return stripped
  }

  async #expireRetained(): Promise<void> {
    const { database, exclusive, now, onFault } = this.#deps
    for await (const page of database.keyPages(ranges.dueRetainedUntil(hourOf(now()) - 1)))
      for (const key of page) await exclusive(() => this.#dropRetained(key)).catch(onFault)
  }

  /** Between two commits, as otherwise a newer message of the topic could be deleted instead. */
  async #dropRetained(dueKey: string): Promise<void> {
    const { database, retained, now } = this.#deps
    const key = keys.retainedOfDue(dueKey)
    const value = await database.get(key)
    const expiresAt = (value && expiryOf(value)?.expiresAt) ?? 0
    const batch = new WriteBatch()
    batch.del(dueKey)
    // Also if the message was replaced: its old version may still be on disk.
    batch.put(keys.stale(key), String(now()))
    const over = expiresAt > 0 && expiresAt <= now()
    if (over) batch.del(key)
    await this.#write(batch)
    if (over) retained.expired(key)
  }

  async #write(batch: WriteBatch): Promise<void> {
    await this.#deps.database.write(batch, false)
    this.#deps.counts.writes += batch.size
  }
}

/** The chunk without the payloads that are gone; undefined: it contains none. */
function without(log: RoomLog, chunk: Chunk, now: number): Chunk | undefined {
  const kept = chunk.entries.map((entry) => log.keptAt(entry, now))
  return kept.some((entry, i) => entry !== chunk.entries[i]) ? Chunk.of(kept) : undefined
}

function expiryOf(retained: Buffer): Extra | undefined {
  return decodeMessage(retained).extra ?? undefined
}
