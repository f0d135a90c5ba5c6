/** The records of files: begun, finished, looked at, removed. Their bytes are elsewhere, and are removed once the record is. */
import { randomBytes } from 'node:crypto'
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { SYSTEM } from '../../../schemas/ids.js'
import type { Draft } from '../../store/changes.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { FileFacts, FileRecord } from '../../store/files.js'
import type { Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireAccount, requireUser } from '../model/actor.js'
import type { Audit } from '../model/audit.js'
import { type DiskSpace, requireSpace } from '../model/disk-space.js'
import { type FileAccess, type FinishedFile, isFinished, noFile } from './file-access.js'
import { referring, roomsOf } from './file-references.js'
import { forgetOps } from './room-files.js'

/** Ms between two looks at a file that messages refer to: what was deleted is off the disk within a day. */
const CHECK_EVERY = 43_200_000
/** Ids per read. */
const PAGE = 100
/**
 * Ms for one sweep of each minute. A file takes a commit: where that takes 5 ms, 720,000 files are looked at twice a day. With more, what was
 * deleted stays longer.
 */
const SWEEP_TIME = 5000
/** Ms after which a node that finishes an upload counts as gone. */
const FINISHING = 900_000
/** Ms between two attempts to scan a file, at least. */
const SCAN_AGAIN = 60_000
/** Longest reason of a scanner that is kept, in characters. */
const MAX_REASON = 500
/** Who changes the totals of all files waits for the others. */
const TOTALS = 'totals of files'

export type FileLimits = Pick<Config['media'], 'fileBytes' | 'userBytes' | 'userFiles' | 'serverBytes'> & {
  /** Seconds. */
  readonly uploadLife: number
  readonly unusedLife: number
}

export interface FilesDeps {
  readonly store: Pick<Store, 'directory' | 'log' | 'notes' | 'transact'>
  readonly access: FileAccess
  /** The account whose limits a user counts against. */
  readonly accountOf: (user: string) => string
  readonly audit: Pick<Audit, 'drafts'>
  readonly limits: FileLimits
  readonly space: DiskSpace
  /** Removes the bytes of a file. What fails is found by a later sweep of the directory. */
  readonly removeBytes: (id: string) => Promise<void>
}

export interface NewFile {
  readonly size: number
  readonly name: string | null
  /** As stated. */
  readonly mime: string
}

/** What was found in the bytes. */
export interface FinishedContent {
  /** SHA-256, base64url. */
  readonly hash: string
  readonly mime: string
  readonly size: number
  readonly facts: FileFacts
  /** A scanner is asked about it. */
  readonly isScanned: boolean
}

/** What a scanner says. */
export type ScanVerdict = { readonly clean: true } | { readonly clean: false; readonly reason: string | null }

export class Files {
  readonly #deps: FilesDeps

  constructor(deps: FilesDeps) {
    this.#deps = deps
  }

  /** Begins an upload: from now on its whole size counts. @throws Refusal */
  async create(actor: Actor, { size, name, mime }: NewFile): Promise<FileRecord> {
    const user = requireUser(actor)
    const { store, accountOf, limits, space } = this.#deps
    requireSpace(space)
    if (size > limits.fileBytes)
      throw new Refusal('too_large', `a file has at most ${limits.fileBytes} bytes (media.fileBytes)`)
    const id = randomBytes(16).toString('hex')
    const createdAt = Date.now()
    const checkAt = createdAt + limits.uploadLife * 1000
    const { value } = await store.transact(TOTALS, async ({ directory }) => {
      await requireAccount(directory, actor.principal)
      const person = accountOf(user)
      const record: FileRecord = { id, user, person, name, mime, size, createdAt, hash: null, checkAt }
      const ops = [...directory.files.putOps(record, null), ...(await this.#countOps(directory, record, 1))]
      return { ops, value: record }
    })
    return value
  }

  /** The file of the actor, finished or not. @throws Refusal `not_found` */
  async own(actor: Actor, id: string): Promise<FileRecord> {
    const user = requireUser(actor)
    const record = await this.#deps.store.directory.files.get(id)
    if (record && (await this.#deps.access.isOwner(user, record))) return record
    throw noFile(id)
  }

  /**
   * Among nodes that see the same files: this one makes the file of an upload, and no other meanwhile, which may have other bytes of it. Resolves
   * with the record, which is that of a finished file if there is one.
   * @throws Refusal `not_found`, `unavailable`
   */
  async claim(id: string): Promise<FileRecord> {
    const record = await this.#change(id, (before) => {
      if (before.hash !== null) return before
      const { finishing = 0 } = before
      const rest = finishing + FINISHING - Date.now()
      if (rest > 0)
        throw new Refusal('unavailable', 'another node finishes this upload', { retryAfter: Math.ceil(rest / 1000) })
      return { ...before, finishing: Date.now() }
    })
    return record ?? Promise.reject(noFile(id))
  }

  /** The upload could not be finished. */
  async unclaim(id: string): Promise<void> {
    await this.#change(id, (before) => {
      if (before.hash !== null || before.finishing === undefined) return before
      const { finishing: _, ...record } = before
      return record
    })
  }

  /** All bytes are there, and durable. From now on messages may refer to it, once it is scanned. @throws Refusal `not_found`, `conflict` */
  async finish(actor: Actor, id: string, content: FinishedContent): Promise<FinishedFile> {
    const { store, limits } = this.#deps
    const { value } = await store.transact(TOTALS, async ({ directory }) => {
      await requireAccount(directory, actor.principal)
      const before = await directory.files.get(id)
      if (!before) throw noFile(id)
      if (before.hash !== null) throw new Refusal('conflict', 'the upload is finished')
      const { hash, mime, size, facts, isScanned } = content
      const now = Date.now()
      const checkAt = isScanned ? now + SCAN_AGAIN : now + limits.unusedLife * 1000
      const { finishing: _, ...rest } = before
      const record = { ...rest, hash, mime, size, facts, checkAt, ...(isScanned ? { scan: 'pending' as const } : {}) }
      const counted = size === before.size ? [] : await this.#resizeOps(directory, before, size)
      return { ops: [...directory.files.putOps(record, before), ...counted], value: record }
    })
    return value
  }

  /** What a scanner says of a file. Null: it is gone. */
  async settleScan(id: string, verdict: ScanVerdict): Promise<FileRecord | null> {
    return this.#rescanned(id, (record, now) => ({
      ...record,
      ...(verdict.clean ? { scan: 'clean' } : blocked(verdict.reason)),
      checkAt: now + this.#deps.limits.unusedLife * 1000,
    }))
  }

  /** An admin blocks it. @throws Refusal `not_found`, or `conflict` while its upload is not finished */
  async block(id: string, reason: string | null): Promise<FileRecord> {
    const record = await this.#change(id, (before) => {
      if (!isFinished(before)) throw new Refusal('conflict', 'its upload is not finished', { field: 'file' })
      return { ...before, ...blocked(reason) }
    })
    if (!record) throw noFile(id)
    await this.#deps.removeBytes(id)
    return record
  }

  /** There is no verdict yet: the older the file, the later it is asked for again. Null: it is gone. */
  async postponeScan(id: string): Promise<FileRecord | null> {
    return this.#rescanned(id, (record, now) => ({
      ...record,
      checkAt: now + Math.max(SCAN_AGAIN, now - record.createdAt),
    }))
  }

  /** Only a file that waits for its scan: another node may have heard of it first. */
  #rescanned(id: string, change: (record: FileRecord, now: number) => FileRecord): Promise<FileRecord | null> {
    return this.#change(
      id,
      (before) => (before.scan === 'pending' ? change(before, Date.now()) : before),
      (next) => (next.scan === 'blocked' ? this.#blockedByScanner(next) : []),
    )
  }

  /**
   * Decides on the record of a file. Null: there is none.
   * @param change Returns it as it is to be; the same one: nothing is written. It may run several times
   * @param drafts What is logged of the change
   */
  async #change(
    id: string,
    change: (before: FileRecord) => FileRecord,
    drafts: (next: FileRecord) => Draft[] = () => [],
  ): Promise<FileRecord | null> {
    const { value } = await this.#deps.store.transact(`file ${id}`, async ({ directory }) => {
      const before = await directory.files.get(id)
      const next = before && change(before)
      if (!next || next === before) return { value: next }
      return { drafts: drafts(next), ops: directory.files.putOps(next, before), value: next }
    })
    return value
  }

  #blockedByScanner({ id, user, mime, size, blockedFor }: FileRecord): Draft[] {
    const details = { file: id, mime, size, reason: blockedFor }
    return this.#deps.audit.drafts(
      { user: SYSTEM, address: null, admin: true },
      { action: 'files.block', user, details },
    )
  }

  /**
   * Removes a file, whatever refers to it.
   * @param allow Throws unless it may be removed; it sees the record as it is when it is removed
   */
  async remove(id: string, allow: (record: FileRecord) => void = () => {}): Promise<boolean> {
    const { value } = await this.#deps.store.transact(TOTALS, async ({ directory }) => {
      const record = await directory.files.get(id)
      if (!record) return { value: false }
      allow(record)
      return { ops: await this.#removalOps(directory, record), value: true }
    })
    if (value) await this.#deps.removeBytes(id)
    return value
  }

  /** Removes all files of a user, for whom `pause` may end it. */
  async removeOf(user: string, pause: () => Promise<void>): Promise<void> {
    for (;;) {
      const ids = await this.#deps.store.directory.files.ofUser(user, '', PAGE)
      if (ids.length === 0) return
      for (const id of ids) {
        await pause()
        await this.remove(id)
      }
    }
  }

  /**
   * Looks at the files that are due: unfinished uploads, and files to which nothing refers any more, are removed. What its time is too short
   * for is left to the next sweep.
   * @param now Unix ms
   * @param scan Asks the scanner about a file that waits for its scan; null: there is none, and it stays unserved
   */
  async sweep(now: number, scan: ((file: FinishedFile) => Promise<unknown>) | null): Promise<void> {
    const end = performance.now() + SWEEP_TIME
    let ids: string[]
    do {
      ids = await this.#deps.store.directory.files.due(now, PAGE)
      for (const id of ids) {
        await this.#scanOrCheck(id, now, scan)
        if (performance.now() > end) return
      }
    } while (ids.length === PAGE)
  }

  /** Nothing refers to a file that waits for its scan: it is asked about until its time is over. */
  async #scanOrCheck(id: string, now: number, scan: Parameters<Files['sweep']>[1]): Promise<void> {
    const { store, limits } = this.#deps
    const record = await store.directory.files.get(id)
    const waits = record?.scan === 'pending' && now - record.createdAt < limits.unusedLife * 1000
    if (!waits) await this.#check(id, now)
    else if (scan && isFinished(record)) await scan(record)
    else await this.postponeScan(id)
  }

  async #check(id: string, now: number): Promise<void> {
    const { store } = this.#deps
    const { value: removed } = await store.transact(`file ${id}`, async ({ directory }) => {
      const record = await directory.files.get(id)
      if (!record || record.checkAt > now) return { value: false }
      const { ops, isUsed } = await this.#uses(directory, record)
      if (!isUsed) return { ops: await this.#removalOps(directory, record), value: true }
      const next = { ...record, checkAt: now + CHECK_EVERY }
      return { ops: [...directory.files.putOps(next, record), ...ops], value: false }
    })
    if (removed) await this.#deps.removeBytes(id)
  }

  /** Whether a message refers to the file; `ops` forget the rooms in which none does any more. */
  async #uses(directory: DirectoryStore, { id, hash }: FileRecord): Promise<{ ops: Op[]; isUsed: boolean }> {
    const ops: Op[] = []
    let isUsed = false
    if (hash === null) return { ops, isUsed }
    for await (const room of roomsOf(directory, id)) {
      if (await this.#isUsedIn(room, id)) isUsed = true
      else ops.push(...(await forgetOps(directory, room, id)))
    }
    return { ops, isUsed }
  }

  async #isUsedIn(room: string, id: string): Promise<boolean> {
    for await (const { present } of referring(this.#deps.store, room, id)) if (present) return true
    return false
  }

  async #removalOps(directory: DirectoryStore, record: FileRecord): Promise<Op[]> {
    const ops = [...directory.files.deleteOps(record), ...(await this.#countOps(directory, record, -1))]
    for await (const room of roomsOf(directory, record.id)) ops.push(...(await forgetOps(directory, room, record.id)))
    return ops
  }

  /** Counts a file for its person and for all. @throws Refusal if it is one too many */
  async #countOps(directory: DirectoryStore, { person, size }: FileRecord, by: 1 | -1): Promise<Op[]> {
    const { userBytes, userFiles, serverBytes } = this.#deps.limits
    const [mine, all] = [await directory.files.totals(person), await directory.files.totals(null)]
    const next = { files: mine.files + by, bytes: mine.bytes + by * size }
    const nextOfAll = { files: all.files + by, bytes: all.bytes + by * size }
    if (by === 1) {
      if (userFiles > 0 && next.files > userFiles)
        throw new Refusal('too_large', `you have ${mine.files} files (media.userFiles): delete some (files.delete)`)
      if (userBytes > 0 && next.bytes > userBytes)
        throw new Refusal('too_large', `your files have ${mine.bytes} of ${userBytes} bytes (media.userBytes)`)
      if (serverBytes > 0 && nextOfAll.bytes > serverBytes)
        throw new Refusal('unavailable', 'the broker takes no more files at present (media.serverBytes)')
    }
    return [directory.files.totalsOp(person, next), directory.files.totalsOp(null, nextOfAll)]
  }

  async #resizeOps(directory: DirectoryStore, { person, size }: FileRecord, now: number): Promise<Op[]> {
    const resized = async (who: string | null): Promise<Op> => {
      const { files, bytes } = await directory.files.totals(who)
      return directory.files.totalsOp(who, { files, bytes: bytes - size + now })
    }
    return [await resized(person), await resized(null)]
  }
}

function blocked(reason: string | null): Pick<FileRecord, 'scan' | 'blockedFor'> {
  return { scan: 'blocked', ...(reason === null ? {} : { blockedFor: reason.slice(0, MAX_REASON) }) }
}
