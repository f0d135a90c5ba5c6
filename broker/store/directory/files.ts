/** Files: read on demand, and found by their user, and by when they are to be looked at. */
import type { CountedIn, FileRecord, FileStore, FileTotals, RoomFileTotals } from '../files.js'
import { clear, del, type Op, put, wipe } from '../op.js'
import { keyOf, numberPart, partsOf, type Tables } from '../tables.js'
import { readRecord } from './on-demand.js'
import type { Reads } from './reads.js'

/** The key of the totals of all files, and what stands before the name of a room: no user has these names. */
const ALL = '*'
const OF_ROOM = '#'

export class Files implements FileStore {
  readonly #tables: Tables
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(tables: Tables, reads: Reads | null) {
    this.#tables = tables
    this.#reads = reads
  }

  get(id: string): Promise<FileRecord | null> {
    return readRecord(this.#tables, 'file', keyOf(id))
  }

  ofUser(user: string, after: string, limit: number): Promise<string[]> {
    return this.#names('userFile', user, after, limit)
  }

  roomsOf(id: string, after: string, limit: number): Promise<string[]> {
    this.#reads?.owner('fileRoom', id)
    return this.#names('fileRoom', id, after, limit)
  }

  async totals(person: string | null): Promise<FileTotals> {
    return (await readRecord(this.#tables, 'fileTotals', keyOf(person ?? ALL))) ?? { files: 0, bytes: 0 }
  }

  roomTotals(room: string): Promise<RoomFileTotals | null> {
    return readRecord(this.#tables, 'fileTotals', keyOf(OF_ROOM + room))
  }

  countedIn(id: string, room: string): Promise<CountedIn | null> {
    return readRecord(this.#tables, 'fileRoom', keyOf(id, room))
  }

  async due(now: number, limit: number): Promise<string[]> {
    const found = await this.#tables.list('fileCheck', { before: numberPart(now + 1), limit })
    return found.map(([key]) => key.slice(NUMBER_WIDTH))
  }

  putOps(record: FileRecord, before: FileRecord | null): Op[] {
    const isDueThen = before?.checkAt === record.checkAt
    return [
      { ...put('file', keyOf(record.id), JSON.stringify(record)), wipe: true },
      ...(before ? [] : [put('userFile', keyOf(record.user, record.id), '')]),
      ...(before && !isDueThen ? [del('fileCheck', checkKey(before))] : []),
      ...(isDueThen ? [] : [put('fileCheck', checkKey(record), '')]),
    ]
  }

  deleteOps(record: FileRecord): Op[] {
    return [
      wipe('file', keyOf(record.id)),
      wipe('userFile', keyOf(record.user, record.id)),
      del('fileCheck', checkKey(record)),
      clear('fileRoom', record.id),
    ]
  }

  totalsOp(person: string | null, totals: FileTotals): Op {
    return totalsAt(keyOf(person ?? ALL), totals.files === 0 ? null : totals)
  }

  roomTotalsOp(room: string, totals: RoomFileTotals | null): Op {
    return totalsAt(keyOf(OF_ROOM + room), totals)
  }

  roomOp(id: string, room: string, counted: CountedIn): Op {
    return put('fileRoom', keyOf(id, room), JSON.stringify(counted))
  }

  deleteRoomOp(id: string, room: string): Op {
    return del('fileRoom', keyOf(id, room))
  }

  /** The second parts of an owner's keys. */
  async #names(table: 'userFile' | 'fileRoom', owner: string, after: string, limit: number): Promise<string[]> {
    const found = await this.#tables.list(table, { owner, after: keyOf(owner, after), limit })
    return found.map(([key]) => partsOf(key)[1]!)
  }
}

function totalsAt(key: string, totals: FileTotals | null): Op {
  return totals ? put('fileTotals', key, JSON.stringify(totals)) : wipe('fileTotals', key)
}

const NUMBER_WIDTH = numberPart(0).length

/** Sorts by the time. */
function checkKey({ checkAt, id }: FileRecord): string {
  return keyOf(numberPart(checkAt) + id)
}
