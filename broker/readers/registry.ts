/**
 * The readers of this broker, registered by name. They are told which of their logs have grown, and read them later. Those whose cursors are in the
 * store's outbox are known to every node, and served by one at a time (store/jobs.ts): the registry says there where they continue, saves their cursors,
 * and removes the mark of a log once all that take it have read it.
 */
import { GuardConflict } from '../store/changes.js'
import { type Fence, guardsOf } from '../store/fence.js'
import type { LogName } from '../store/log-name.js'
import type { Op } from '../store/op.js'
import { readerCursorOp } from '../store/reader-cursors.js'
import { SERVER_LOG } from '../store/server-events.js'
import type { Store } from '../store/store.js'
import type { Deadline, TimerWheel } from '../util/timer-wheel.js'
import { Marks } from './marks.js'
import { isDone, type OutboxReader, type Reader, type ReaderStart, type Saving, type Serving } from './reader.js'
import { loadAll, ServedReader } from './served-reader.js'

/** Milliseconds between saves of cursors; what was read since the last save is read again after a crash. */
const SAVE_EVERY = 1000
/** Milliseconds without new entries after which a log that was read is dropped from memory until it grows. */
const QUIET = 5000
/** Entries of the server log that are retained, for readers that lag and for dead letters. */
const SERVER_ENTRIES = 10_000

export interface ReaderRegistryDeps {
  readonly store: Store
  readonly wheel: TimerWheel
  readonly failed: (error: unknown) => void
}

export class ReaderRegistry implements Deadline {
  readonly #deps: ReaderRegistryDeps
  readonly #readers = new Map<string, Reader>()
  readonly #served = new Map<string, ServedReader>()
  readonly #marks: Marks
  readonly #endGrowth: () => void
  /** Logs with cursors to save, and when they last grew (Unix ms). */
  readonly #changed = new Map<LogName, number>()
  /** Logs that were read here, and that others still read. */
  readonly #readHere = new Set<LogName>()
  #loading: Promise<void> = Promise.resolve()
  #scheduled = false
  #saving: Promise<void> = Promise.resolve()
  #closed = false

  constructor(deps: ReaderRegistryDeps) {
    this.#deps = deps
    const served = (name: string): ServedReader | undefined => {
      const one = this.#served.get(name)
      return one?.isLoaded ? one : undefined
    }
    this.#marks = new Marks({ store: deps.store, takers: (log) => this.#takers(log), served })
    this.#endGrowth = deps.store.log.onGrowth((...growth) => this.#grown(...growth))
  }

  /** From now on logs that it takes are marked. @throws if the name is taken */
  register(reader: Reader): void {
    if (this.#readers.has(reader.name)) throw new Error(`there is a reader ${reader.name} already`)
    this.#readers.set(reader.name, reader)
    this.#watch()
  }

  /** There is no such reader any more. Nothing more is saved of it. */
  unregister(name: string): void {
    this.#readers.delete(name)
    this.#served.delete(name)
    this.#watch()
    this.takesChanged()
  }

  /** This node serves a registered reader. Resolves when it continues in all logs in which there may be something to read. */
  serve(reader: OutboxReader, serving: Serving, fence: Fence | null): Promise<void> {
    this.#served.set(reader.name, new ServedReader(this.#deps.store, reader, serving, fence))
    return this.#load()
  }

  /** A reader takes other logs: where it is served here, it continues in those. */
  async takesMore(name: string): Promise<void> {
    const served = this.#served.get(name)
    if (!served) return
    served.isLoaded = false
    // If it fails, it is tried again with the next save.
    this.saveSoon()
    await this.#load()
  }

  /** This node serves a reader no longer. Resolves when it is saved how far it is. */
  async release(name: string): Promise<void> {
    const served = this.#served.get(name)
    if (!served) return
    await this.#saving
    const savings = served.savings(this.#changed.keys())
    this.#served.delete(name)
    if (!served.fence?.lost) await this.#write(savings, served.fence)
  }

  /** Readers take fewer logs: others may have read the rest. */
  takesChanged(): void {
    for (const log of this.#readHere) this.advanced(log)
    this.#readHere.clear()
  }

  /** Removes the marks of logs that nobody takes. */
  async forgetUnwanted(): Promise<void> {
    const unwanted = this.#marks.unwanted()
    if (unwanted.length > 0) await this.#marks.remove(unwanted)
  }

  /**
   * Where a reader begins that will take logs it did not take before: at the heads of those that others are still
   * reading. To be stored as its cursors. In other logs the mark tells where to begin.
   */
  async starts(isNew: (log: LogName) => boolean): Promise<ReaderStart[]> {
    const { store } = this.#deps
    const logs = [...store.outbox.marked().keys()].filter(isNew)
    const infos = await Promise.all(logs.map((log) => store.log.open(log)))
    return infos.map(({ name: log, head: seq, incarnation }) => ({ log, seq, incarnation }))
  }

  cursorOps(reader: string, starts: readonly ReaderStart[]): Op[] {
    return starts.map((start) => readerCursorOp({ ...start, reader }))
  }

  /** A reader is done with an entry of the log. */
  advanced(log: LogName): void {
    this.#note(log, this.#changed.get(log) ?? 0)
  }

  due(now: number): number {
    this.#scheduled = false
    this.#saving = this.#saving.then(() => this.#save(now)).catch((error) => this.#saveFailed(error))
    return 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#endGrowth()
    this.#deps.wheel.delete(this)
    await this.#saving
    // What cannot be saved is read again after the next start.
    await this.#save(Date.now()).catch(this.#deps.failed)
  }

  #takers(log: LogName): OutboxReader[] {
    const readers: OutboxReader[] = []
    for (const reader of this.#readers.values())
      if (reader.positions === 'outbox' && reader.takesLog(log)) readers.push(reader)
    return readers
  }

  #servedIn(log: LogName): ServedReader[] {
    return [...this.#served.values()].filter((one) => one.takesLog(log))
  }

  #watch(): void {
    const readers = [...this.#readers.values()].filter(({ positions }) => positions === 'outbox')
    this.#deps.store.outbox.watch(readers.length === 0 ? null : (log) => readers.some((reader) => reader.takesLog(log)))
  }

  /** Those that ask at the same time are loaded together. */
  #load(): Promise<void> {
    const next = this.#loading.then(() =>
      loadAll(
        this.#deps.store,
        [...this.#served.values()].filter(({ isLoaded }) => !isLoaded),
      ),
    )
    this.#loading = next.then(
      () => {
        for (const log of this.#deps.store.outbox.marked().keys())
          if (this.#servedIn(log).length > 0) this.advanced(log)
      },
      () => {},
    )
    return next
  }

  /** Called for every log of every commit. */
  #grown(log: LogName, head: number, incarnation: number): void {
    let noted = false
    for (const reader of this.#readers.values()) {
      if (!reader.takesLog(log)) continue
      if (reader.positions === 'own') reader.grown(log)
      else {
        const served = this.#served.get(reader.name)
        if (!served) continue
        noted = true
        served.tell(log, head, incarnation)
      }
    }
    if (noted) this.#note(log, Date.now())
  }

  #note(log: LogName, at: number): void {
    this.#changed.set(log, at)
    this.saveSoon()
  }

  /** Something that is to be saved has changed. */
  saveSoon(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#deps.wheel.set(this, Date.now() + SAVE_EVERY)
  }

  async #save(now: number): Promise<void> {
    if ([...this.#served.values()].some(({ isLoaded }) => !isLoaded)) await this.#load()
    const again: [LogName, number][] = []
    const quiet: LogName[] = []
    const noted = [...this.#changed]
    this.#changed.clear()
    for (const [log, grewAt] of noted) {
      const isRead = this.#servedIn(log).every((one) => isDone(one.cursor(log)))
      if (isRead && now - grewAt >= QUIET) quiet.push(log)
      else if (isRead) again.push([log, grewAt])
    }
    await this.#saveCursors(noted.map(([log]) => log))
    if (quiet.length > 0) await this.#marks.remove(quiet).catch((error) => this.#notSaved(quiet, error))
    for (const log of [...quiet, ...this.#readHere]) this.#forgetIfRead(log)
    for (const [log, grewAt] of again) if (!this.#changed.has(log)) this.#note(log, grewAt)
  }

  /** What is written of a reader is a change of its own where others may have taken it: that fails no other. */
  async #saveCursors(logs: readonly LogName[]): Promise<void> {
    const free: Saving[] = []
    const writes: Promise<void>[] = []
    const write = (savings: readonly Saving[], fence: Fence | null): void =>
      void writes.push(this.#write(savings, fence).catch((error) => this.#notSaved(logs, error)))
    for (const one of this.#served.values()) {
      const savings = one.savings(logs)
      if (one.fence === null) free.push(...savings)
      else if (!one.fence.lost) write(savings, one.fence)
    }
    write(free, null)
    await Promise.all(writes)
    if (logs.includes(SERVER_LOG)) await this.#trimServerLog()
  }

  async #write(savings: readonly Saving[], fence: Fence | null): Promise<void> {
    if (savings.length === 0) return
    const ops = savings.map(({ op }) => op)
    try {
      await this.#deps.store.sessions.writeLazily(ops, fence && guardsOf([fence]))
      for (const { saved } of savings) saved()
    } catch (error) {
      if (!(fence && error instanceof GuardConflict)) throw error
      await fence.refused()
    }
  }

  #saveFailed(error: unknown): void {
    this.#deps.failed(error)
    this.saveSoon()
  }

  /** It is tried again. */
  #notSaved(logs: readonly LogName[], error: unknown): void {
    this.#deps.failed(error)
    for (const log of logs) this.advanced(log)
  }

  async #trimServerLog(): Promise<void> {
    const { log } = this.#deps.store
    await log.trim(SERVER_LOG, (await log.open(SERVER_LOG)).head - SERVER_ENTRIES)
  }

  /** A log that has grown before its mark was removed is marked still; of one that others read, nothing is left to do here. */
  #forgetIfRead(log: LogName): void {
    const served = this.#servedIn(log)
    if (this.#deps.store.outbox.marked().has(log)) {
      if (served.length > 0 && !this.#changed.has(log)) this.#readHere.add(log)
      else this.#readHere.delete(log)
      return
    }
    this.#readHere.delete(log)
    for (const one of served) if (isDone(one.cursor(log))) one.serving.forget(log)
  }
}
