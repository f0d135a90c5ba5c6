/**
 * An embedded store that is being filled with what another store keeps. It has a format of its own until it is complete, so no broker opens it. How far it
 * has come is written with what it has come to.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from '../changes.js'
import { hourOf } from '../gone.js'
import type { LogEntry } from '../logs.js'
import type { CidPiece, Contents, Piece, StoredLog, StoreFacts } from '../moving/contents.js'
import { HOW_TO_MOVE, type MoveTarget, type Reached } from '../moving/move.js'
import { decodeMessage } from '../packet-codec.js'
import { CHUNK_BYTES, CHUNK_ENTRIES, Chunk } from './chunk.js'
import { LevelContents } from './contents.js'
import { Database, diskDatabase, FORMATS, type OpenDatabase } from './database.js'
import { movedGeneration, sealMovedGenerations } from './dedupe.js'
import { DAY, encodeHashed, encodeRecord, hashedName } from './dedupe-records.js'
import { sizeOf } from './entry-codec.js'
import { Epoch, recordFileOf } from './epoch.js'
import { noteExpiry } from './folding.js'
import { keys } from './keys.js'
import { WriteBatch } from './operation.js'
import { encodeReference } from './queue.js'
import { recordKey } from './record-keys.js'
import { headRecord } from './room-log.js'
import { MOVING } from './upgrade.js'

export interface LevelTargetOptions {
  /** What is moved (`sourceName`): only a move of the same goes on. */
  readonly source: string
  /** Removes what a move left that was broken off. */
  readonly restart?: boolean
  /** Replaces LevelDB in tests. */
  readonly openDatabase?: OpenDatabase
}

interface Progress {
  readonly source: string
  readonly reached: Reached | null
}

/** @throws StoreError if there is a store already, or what a move of another source left */
export async function openLevelTarget(
  location: string,
  { source, restart = false, openDatabase }: LevelTargetOptions,
): Promise<MoveTarget> {
  const open = openDatabase ?? diskDatabase(location)
  if (!openDatabase) await prepare(location, restart)
  const place = openDatabase ? null : location
  const moving = { formats: { current: MOVING, steps: [] }, notice: null }
  const database = await Database.open(place, open, { upgrade: moving })
  const target = new LevelTarget(database, place, source)
  try {
    await target.begin()
    return target
  } catch (error) {
    await database.close()
    throw error
  }
}

async function prepare(location: string, restart: boolean): Promise<void> {
  if (existsSync(join(location, 'CURRENT'))) {
    if ((await formatOf(location)) !== MOVING)
      throw new StoreError(`there is a store in ${location} already; move to a data directory without one`)
    if (!restart) return
    await rm(location, { recursive: true })
    await rm(recordFileOf(location), { force: true })
  }
  if (existsSync(recordFileOf(location)))
    throw new StoreError(
      `${location} is empty, but had data (${recordFileOf(location)}). Move to another data directory; or, if that data is not needed any more, remove that file`,
    )
}

/** Undefined: none, of something else than a store. */
async function formatOf(location: string): Promise<string | undefined> {
  const database = await Database.peek(location)
  try {
    return (await database.get(keys.format))?.toString()
  } finally {
    await database.close()
  }
}

class LevelTarget implements MoveTarget {
  reached: Reached | null = null
  readonly about: string
  readonly #database: Database
  /** Null: in memory. */
  readonly #location: string | null
  readonly #source: string
  #facts: StoreFacts | null = null

  constructor(database: Database, location: string | null, source: string) {
    this.#database = database
    this.#location = location
    this.#source = source
    this.about = location ?? 'memory'
  }

  async begin(): Promise<void> {
    const found = await this.#database.get(keys.moving)
    if (!found) return this.#write(new WriteBatch(), null, true)
    const { source, reached } = JSON.parse(found.toString()) as Progress
    if (source !== this.#source)
      throw new StoreError(
        `${this.about}: the move to it was of another source, or that has changed since: ${HOW_TO_MOVE}`,
      )
    this.reached = reached
  }

  async write(pieces: readonly Piece[], reached: Reached): Promise<void> {
    const batch = new WriteBatch()
    for (const piece of pieces) if (piece.kind !== 'entry') stage(piece, batch)
    stageEntries(pieces, batch)
    await this.#write(batch, reached, false)
  }

  async #write(batch: WriteBatch, reached: Reached | null, sync: boolean): Promise<void> {
    batch.put(keys.moving, JSON.stringify({ source: this.#source, reached } satisfies Progress))
    await this.#database.write(batch, sync)
    this.reached = reached
  }

  async complete(facts: StoreFacts): Promise<void> {
    this.#facts = facts
    await sealMovedGenerations(this.#database)
    const batch = new WriteBatch()
    batch.put(keys.epoch, facts.epoch)
    batch.put(keys.folded, String(facts.commits))
    batch.put(keys.queueNumber, String(facts.queued + 1))
    await this.#database.write(batch, true)
  }

  contents(): Contents {
    return new LevelContents(this.#database, this.about, this.#facts!, async () => {})
  }

  async release(): Promise<void> {
    await new Epoch(this.#database, this.#location, () => {}).open(this.#facts!.commits)
    const batch = new WriteBatch()
    batch.del(keys.moving)
    batch.put(keys.format, FORMATS.current)
    await this.#database.write(batch, true)
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

function stage(piece: Exclude<Piece, { kind: 'entry' }>, batch: WriteBatch): void {
  switch (piece.kind) {
    case 'log':
      return batch.put(keys.head(piece.log.name), headOf(piece.log))
    case 'note':
      return batch.put(keys.note(piece.log.name, piece.letter, piece.target, piece.name), piece.value)
    case 'cid':
      return stageCid(piece, batch)
    case 'packet':
      return batch.put(keys.packet(piece.number), piece.packet)
    case 'reference':
      return batch.put(keys.reference(piece.session, piece.number), encodeReference(piece))
    case 'retained':
      return stageRetained(piece.topic, piece.packet, batch)
    case 'mark':
      return batch.put(keys.outbox(piece.log, ''), String(piece.seq))
    default:
      return batch.put(recordKey(piece.kind, piece.key), piece.value)
  }
}

function headOf({ head, tail, incarnation, former, grownIn, spokenIn }: StoredLog): string {
  return headRecord({ folded: head, tail, newest: null, made: incarnation, former, grown: grownIn, spoken: spokenIn })
}

function stageCid(cid: CidPiece, batch: WriteBatch): void {
  const { name, hash, text, usedBy } = cid
  const generation = movedGeneration(Math.floor(usedBy / DAY), text === null, batch)
  if (text) batch.put(keys.dedupe(generation, text.name), encodeRecord({ ...cid, hash: text.hash }))
  else batch.put(keys.dedupe(generation, hashedName(name)), encodeHashed({ ...cid, hash: hash.toString('hex') }))
}

function stageRetained(topic: string, packet: Buffer, batch: WriteBatch): void {
  batch.put(keys.retained(topic), packet)
  const expiresAt = decodeMessage(packet).extra?.expiresAt ?? 0
  if (expiresAt > 0) batch.put(keys.dueRetained(hourOf(expiresAt), topic), '')
}

/** Chunks as full as the pieces allow. */
function stageEntries(pieces: readonly Piece[], batch: WriteBatch): void {
  let log: StoredLog | null = null
  let entries: LogEntry[] = []
  let bytes = 0
  const flush = (): void => {
    if (log && entries.length > 0) stageChunk(log.name, Chunk.of(entries), batch)
    entries = []
    bytes = 0
  }
  for (const piece of pieces) {
    if (piece.kind !== 'entry') continue
    const more = sizeOf([piece.entry])
    const isFull = entries.length >= CHUNK_ENTRIES || (entries.length > 0 && bytes + more > CHUNK_BYTES)
    if (piece.log.name !== log?.name || isFull) flush()
    log = piece.log
    entries.push(piece.entry)
    bytes += more
  }
  flush()
}

function stageChunk(log: string, chunk: Chunk, batch: WriteBatch): void {
  batch.put(keys.chunk(log, chunk.first), chunk.value)
  noteExpiry(log, chunk.first, chunk.entries, batch)
}
