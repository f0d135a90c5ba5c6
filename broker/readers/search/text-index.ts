/**
 * The index file: SQLite with FTS5. Built from the logs; the position in each log is stored in the same transaction as
 * the messages read from it. All calls block, so it runs in a thread of its own (thread.ts).
 */
import { rmSync } from 'node:fs'
import sqlite, { type Database, type Statement } from 'node-sqlite3-wasm'
import type { MessageOutput } from '../../../schemas/message.js'
import type { LogName } from '../../store/log-name.js'
import { indexed, WORDS_VERSION } from './words.js'

/** The position of the index in one log. */
export interface Position {
  readonly name: LogName
  /** Of the log, since a later room may have the same name. Below 0: its messages are being removed. */
  readonly incarnation: number
  /** Number of the last entry processed. */
  readonly done: number
  /** Messages below this number have been removed. */
  readonly tail: number
}

/** A message in its current state. */
export interface Doc {
  readonly log: LogName
  readonly seq: number
  /** Unix ms. */
  readonly ts: number
  readonly from: string
  /** Unix ms at which it must be read again; 0: never. */
  readonly until: number
  /** Null: it is gone. */
  readonly payload: string | null
}

export interface Changes {
  readonly positions: readonly Position[]
  /** Each message once; its log has a position already or in `positions`. */
  readonly docs: readonly Doc[]
}

export interface Wanted {
  readonly logs: readonly LogName[]
  /** An FTS5 expression made by query.ts. */
  readonly match: string
  readonly from: string | null
  /** Unix ms, both exclusive; null: no bound. */
  readonly after: number | null
  readonly before: number | null
  /** Only hits older than this one. */
  readonly below: number | null
  readonly limit: number
}

export interface Hit {
  /** A greater id is newer. */
  readonly id: number
  readonly log: LogName
  readonly seq: number
}

/** Ids ascend with time: up to this many per millisecond, more use the next one. Safe integers until the year 2109. */
const IDS_PER_MS = 2048
/** Logs per FTS5 expression: each keeps an index list open. */
const LOGS_AT_ONCE = 1000
/** Pages of 4 kB kept in memory. */
const CACHE_PAGES = 2000

// locking_mode exclusive: otherwise the WAL would need shared memory. secure_delete and FTS5 secure-delete: removed
// content is overwritten, in the tables and in the index.
const SETUP = `
  PRAGMA locking_mode = exclusive;
  PRAGMA journal_mode = wal;
  PRAGMA synchronous = normal;
  PRAGMA secure_delete = on;
  PRAGMA cache_size = ${CACHE_PAGES};`

/** Of the tables, and of the words in them: an index of another version is made anew. */
const VERSION = 100 + WORDS_VERSION

const TABLES = `
  CREATE TABLE meta (version INTEGER, epoch TEXT);
  CREATE TABLE logs (id INTEGER PRIMARY KEY, name TEXT UNIQUE, incarnation INTEGER, done INTEGER, tail INTEGER);
  CREATE TABLE docs (id INTEGER PRIMARY KEY, log INTEGER, seq INTEGER, until INTEGER, author TEXT, body TEXT, files TEXT);
  CREATE UNIQUE INDEX doc_of ON docs (log, seq);
  CREATE INDEX due ON docs (until) WHERE until > 0;
  CREATE VIRTUAL TABLE words USING fts5 (body, files, log, author, content = '', tokenize = 'ascii', prefix = '2 3');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1);`

const STATEMENTS = {
  position: `INSERT INTO logs (name, incarnation, done, tail) VALUES (?, ?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET incarnation = excluded.incarnation, done = excluded.done, tail = excluded.tail`,
  logOf: 'SELECT id FROM logs WHERE name = ?',
  nameOf: 'SELECT name FROM logs WHERE id = ?',
  docOf: 'SELECT * FROM docs WHERE log = ? AND seq = ?',
  lastId: 'SELECT max(id) AS last FROM docs WHERE id >= ? AND id < ?',
  putDoc: 'INSERT INTO docs (id, log, seq, until, author, body, files) VALUES (?, ?, ?, ?, ?, ?, ?)',
  dropDoc: 'DELETE FROM docs WHERE id = ?',
  putWords: 'INSERT INTO words (rowid, body, files, log, author) VALUES (?, ?, ?, ?, ?)',
  dropWords: "INSERT INTO words (words, rowid, body, files, log, author) VALUES ('delete', ?, ?, ?, ?, ?)",
  below: 'SELECT * FROM docs WHERE log = ? AND seq < ? ORDER BY seq LIMIT ?',
  forget: 'DELETE FROM logs WHERE id = ?',
  doom: 'UPDATE logs SET incarnation = -1 WHERE id = ?',
  moved: 'UPDATE logs SET tail = ? WHERE id = ?',
  due: `SELECT docs.id, logs.name AS log, docs.seq FROM docs JOIN logs ON logs.id = docs.log
    WHERE until > 0 AND until <= ? AND docs.id > ? ORDER BY docs.id LIMIT ?`,
  find: `SELECT words.rowid AS id, docs.log, docs.seq FROM words CROSS JOIN docs ON docs.id = words.rowid
    WHERE words MATCH ? AND words.rowid >= ? AND words.rowid < ? ORDER BY words.rowid DESC LIMIT ?`,
}

interface DocRow {
  id: number
  log: number
  seq: number
  author: string
  body: string
  files: string
}

export class TextIndex {
  readonly #database: Database
  readonly #statements: Record<keyof typeof STATEMENTS, Statement>

  private constructor(database: Database) {
    this.#database = database
    const prepared = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)])
    this.#statements = Object.fromEntries(prepared)
  }

  /** `why`: there was an index of another epoch or version, or a damaged one, and a new one was created. */
  static open(path: string, epoch: string): { index: TextIndex; why: string | null } {
    let why: string | null
    try {
      const database = openDatabase(path)
      why = stateOf(database, epoch)
      if (why === null) return { index: new TextIndex(database), why }
      database.close()
    } catch (error) {
      if (!isDamage(error)) throw error
      why = (error as Error).message
    }
    removeIndex(path)
    const database = openDatabase(path)
    database.exec(TABLES)
    database.run('INSERT INTO meta VALUES (?, ?)', [VERSION, epoch])
    return { index: new TextIndex(database), why: why === EMPTY ? null : why }
  }

  positions(): Position[] {
    return this.#database.all('SELECT name, incarnation, done, tail FROM logs') as unknown as Position[]
  }

  apply({ positions, docs }: Changes): void {
    const dropped = this.#transaction(() => {
      for (const { name, incarnation, done, tail } of positions)
        this.#statements.position.run([name, incarnation, done, tail])
      // FTS5 is fastest if rows are inserted in the order of their ids.
      const inOrder = [...docs].sort((a, b) => a.ts - b.ts)
      return inOrder.reduce((count, doc) => count + this.#put(doc), 0)
    })
    if (dropped > 0) this.#settle()
  }

  /**
   * Removes at most `limit` messages of a log below `seq`; true: there are more. Null: all messages, and its position.
   */
  purge(name: LogName, seq: number | null, limit: number): boolean {
    const log = this.#logOf(name)
    if (log === null) return false
    // From now on what is left belongs to no room.
    if (seq === null) this.#statements.doom.run([log])
    const rows = this.#statements.below.all([log, seq ?? Number.MAX_SAFE_INTEGER, limit]) as unknown as DocRow[]
    this.#transaction(() => {
      for (const row of rows) this.#drop(row)
      if (rows.length === limit) return
      if (seq === null) this.#statements.forget.run([log])
      else this.#statements.moved.run([seq, log])
    })
    if (rows.length > 0) this.#settle()
    return rows.length === limit
  }

  /** Messages that must be read again by `now`, after hit `after`. */
  due(now: number, after: number, limit: number): Hit[] {
    return this.#statements.due.all([now, after, limit]) as unknown as Hit[]
  }

  /** Newest first. */
  find({ logs, ...wanted }: Wanted): Hit[] {
    const ids = logs.map((name) => this.#logOf(name)).filter((id) => id !== null)
    const found: { id: number; log: number; seq: number }[] = []
    for (let i = 0; i < ids.length; i += LOGS_AT_ONCE)
      found.push(...this.#findIn(ids.slice(i, i + LOGS_AT_ONCE), wanted))
    const newest = found.sort((a, b) => b.id - a.id).slice(0, wanted.limit)
    return newest.map(({ id, log, seq }) => ({ id, seq, log: this.#nameOf(log) }))
  }

  close(): void {
    for (const statement of Object.values(this.#statements)) {
      try {
        statement.finalize()
      } catch {
        // `finalize` repeats the error of the last step.
      }
    }
    this.#database.close()
  }

  #findIn(logs: readonly number[], { match, from, after, before, below, limit }: Omit<Wanted, 'logs'>) {
    const terms = [`log : (${logs.map((log) => `"${log}"`).join(' OR ')})`, `{body files} : (${match})`]
    if (from !== null) terms.push(`author : "${authorWord(from)}"`)
    const first = after === null ? 0 : (after + 1) * IDS_PER_MS
    const end = Math.min(
      below ?? Number.MAX_SAFE_INTEGER,
      before === null ? Number.MAX_SAFE_INTEGER : before * IDS_PER_MS,
    )
    const rows = this.#statements.find.all([terms.join(' AND '), first, end, limit])
    return rows as unknown as { id: number; log: number; seq: number }[]
  }

  /** Returns how many messages were replaced. */
  #put({ log: name, seq, ts, from, until, payload }: Doc): number {
    const log = this.#logOf(name)!
    const known = row<DocRow>(this.#statements.docOf, [log, seq])
    if (known) this.#drop(known)
    const text = payload === null ? null : searchable(JSON.parse(payload))
    if (text) {
      const id = known?.id ?? this.#freeId(ts)
      const author = authorWord(from)
      this.#statements.putDoc.run([id, log, seq, until, author, text.body, text.files])
      this.#statements.putWords.run([id, text.body, text.files, String(log), author])
    }
    return known ? 1 : 0
  }

  #drop({ id, log, author, body, files }: DocRow): void {
    // FTS5 with external content needs the old values for a deletion.
    this.#statements.dropWords.run([id, body, files, String(log), author])
    this.#statements.dropDoc.run([id])
  }

  #freeId(ts: number): number {
    for (let first = ts * IDS_PER_MS; ; first += IDS_PER_MS) {
      const end = first + IDS_PER_MS
      const { last } = row<{ last: number | null }>(this.#statements.lastId, [first, end])!
      if (last === null) return first
      if (last + 1 < end) return last + 1
    }
  }

  #logOf(name: LogName): number | null {
    return row<{ id: number }>(this.#statements.logOf, [name])?.id ?? null
  }

  #nameOf(log: number): LogName {
    return row<{ name: LogName }>(this.#statements.nameOf, [log])!.name
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** Truncates the WAL, which still has the removed content. */
  #settle(): void {
    this.#database.all('PRAGMA wal_checkpoint(truncate)')
  }
}

/** Reads the single row. Not with `get`, which leaves the statement, and thereby a transaction, open. */
function row<T>(statement: Statement, values: (number | string)[]): T | undefined {
  return statement.all(values)[0] as T | undefined
}

/** The searchable text of a message; null: none. */
function searchable({ type, text, attachments = [] }: MessageOutput): { body: string; files: string } | null {
  if (type === 'encrypted') return null
  const body = indexed(text ?? '')
  const files = attachments.map(({ name }) => indexed(name ?? '')).join(' ')
  return body || files.trim() ? { body, files } : null
}

/** Encodes a user name as one term. */
function authorWord(user: string): string {
  return Buffer.from(user).toString('hex')
}

const EMPTY = 'empty'

/** Null: the index is valid. */
function stateOf(database: Database, epoch: string): string | null {
  if (!database.get("SELECT 1 FROM sqlite_schema WHERE name = 'meta'")) return EMPTY
  const meta = database.get('SELECT version, epoch FROM meta')
  if (meta?.['version'] !== VERSION) return 'it was made by another version'
  return meta['epoch'] === epoch ? null : 'the store is another one, or was restored'
}

function openDatabase(path: string): Database {
  // A killed process leaves this directory behind. It cannot be in use, since the store of the data directory is
  // locked.
  rmSync(`${path}.lock`, { recursive: true, force: true })
  const database = new sqlite.Database(path)
  try {
    database.exec(SETUP)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

export function removeIndex(path: string): void {
  for (const end of ['', '-wal', '-journal', '.lock']) rmSync(`${path}${end}`, { recursive: true, force: true })
}

/** Whether SQLite reports that the file is damaged or no database. */
export function isDamage(error: unknown): boolean {
  return error instanceof Error && /malformed|not a database|corrupt|vtable constructor failed/.test(error.message)
}
