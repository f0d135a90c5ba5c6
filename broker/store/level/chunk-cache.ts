/**
 * Bounds the chunks in memory, evicting the least recently used. The chunks themselves are referenced by their logs.
 */
import type { Chunk } from './chunk.js'
import type { RoomLog } from './room-log.js'

/** A chunk counts the bytes of its value, and this for each decoded entry. */
const WEIGHT_PER_ENTRY = 250

export class ChunkCache {
  readonly #limit: number
  /** In order of use. */
  readonly #owners = new Map<Chunk, RoomLog>()
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limit = limitBytes
  }

  find(log: RoomLog, seq: number): Chunk | undefined {
    const chunk = log.cachedChunk(seq)
    if (chunk && this.#owners.delete(chunk)) this.#owners.set(chunk, log)
    return chunk
  }

  add(log: RoomLog, chunk: Chunk): void {
    let place = log.cached.findIndex(({ last }) => last >= chunk.first)
    if (place === -1) place = log.cached.length
    const known = log.cached[place]
    if (known?.first === chunk.first) {
      if (known.last >= chunk.last) return
      this.#forget(known)
      log.cached[place] = chunk
    } else {
      log.cached.splice(place, 0, chunk)
    }
    this.#owners.set(chunk, log)
    this.#bytes += weight(chunk)
    this.#evict()
  }

  /** Replaces the cached chunk with the same first entry, if there is one. */
  replace(log: RoomLog, chunk: Chunk): void {
    const known = log.cachedChunk(chunk.first)
    if (!known) return
    this.#forget(known)
    log.cached = log.cached.filter((other) => other !== known)
    this.add(log, chunk)
  }

  /** Drops the chunks of a log whose entries are all below `seq`. */
  dropBelow(log: RoomLog, seq: number): void {
    const kept = log.cached.filter((chunk) => chunk.last >= seq || !this.#forget(chunk))
    log.cached = kept
  }

  #evict(): void {
    for (const [chunk, log] of this.#owners) {
      if (this.#bytes <= this.#limit) return
      this.#forget(chunk)
      log.cached = log.cached.filter((other) => other !== chunk)
    }
  }

  #forget(chunk: Chunk): boolean {
    if (this.#owners.delete(chunk)) this.#bytes -= weight(chunk)
    return true
  }
}

function weight(chunk: Chunk): number {
  return chunk.value.length + chunk.count * WEIGHT_PER_ENTRY
}
