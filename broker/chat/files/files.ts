/** The records of files: begun, finished, looked at, removed. Their bytes are elsewhere, and are removed once the record is. */
import { randomBytes } from 'node:crypto'
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { FileFacts, FileRecord } from '../../store/files.js'
import type { Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireAccount, requireUser } from '../model/actor.js'
import type { Audit } from '../model/audit.js'
import { type DiskSpace, requireSpace } from '../model/disk-space.js'
import { type FileAccess, type FinishedFile, isFinished, noFile } from './file-access.js'
import { changeFile } from './file-change.js'
import { referring, roomsOf } from './file-references.js'
import { blockedBy, blockedDrafts, type FileVerdicts, SCAN_AGAIN } from './file-verdicts.js'
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
  readonly verdicts: Pick<FileVerdicts, 'postpone'>
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

interface Checked {
  /** It stays, and was due. */
  readonly kept: FileRecord | null
  readonly isRemoved: boolean
}

/** Scans that nobody waits for. */
export interface LaterScans {
  /** Scans a file when it is its turn. False: too many wait. */
  add(file: FinishedFile): boolean
  /** The same for one that is served unscanned, as it is from before there was a scanner. Null: so it is; else when to ask again, Unix ms. */
  addEarlier(file: FinishedFile, now: number): number | null
}

export class Files {
  readonly #deps: FilesDeps

  constructor(deps: FilesDeps) {
    this.#deps = deps
  }

  /** @throws Refusal `too_large`: no file has as many bytes, however much space there is */
  requireSize(bytes: number): void {
    const { fileBytes } = this.#deps.limits
    if (bytes > fileBytes)
      throw new Refusal('too_large', `a file has at most ${fileBytes} bytes (media.fileBytes)`, {
        field: 'upload-length',
      })
  }

  /** Begins an upload: from now on its whole size counts. @throws Refusal */
  async create(actor: Actor, { size, name, mime }: NewFile): Promise<FileRecord> {
    const user = requireUser(actor)
    const { store, accountOf, limits, space } = this.#deps
    requireSpace(space)
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
    const record = await changeFile(this.#deps.store, id, (before) => {
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
    await changeFile(this.#deps.store, id, (before) => {
      if (before.hash !== null || before.finishing === undefined) return before
      const { finishing: _, ...record } = before
      return record
    })
  }

  /**
   * All bytes are there, and durable. From now on messages may refer to it, once it is scanned; it is blocked if this content is.
   * @throws Refusal `not_found`, `conflict`
   */
  async finish(actor: Actor, id: string, content: FinishedContent): Promise<FinishedFile> {
    const { store, audit } = this.#deps
    const { value } = await store.transact(TOTALS, async ({ directory }) => {
      await requireAccount(directory, actor.principal)
      const before = await directory.files.get(id)
      if (!before) throw noFile(id)
      if (before.hash !== null) throw new Refusal('conflict', 'the upload is finished')
      const { hash, mime, size, facts, isScanned } = content
      const known = await directory.blockedContents.get(hash)
      const waits = isScanned && !known
      const { finishing: _, ...rest } = before
      const checkAt = Date.now() + (waits ? SCAN_AGAIN : this.#deps.limits.unusedLife * 1000)
      const scan = known ? blockedBy(known) : waits ? ({ scan: 'pending' } as const) : {}
      const record: FinishedFile = { ...rest, hash, mime, size, facts, checkAt, ...scan }
      const counted = size === before.size ? [] : await this.#resizeOps(directory, before, size)
      const drafts = known ? blockedDrafts(audit, record) : []
      return { drafts, ops: [...directory.files.putOps(record, before), ...counted], value: record }
    })
    return value
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
   * @param scans Null: there is no scanner, and what waits for one stays unserved
   */
  async sweep(now: number, scans: LaterScans | null): Promise<void> {
    const end = performance.now() + SWEEP_TIME
    let ids: string[]
    do {
      ids = await this.#deps.store.directory.files.due(now, PAGE)
      for (const id of ids) {
        await this.#look(id, now, scans)
        if (performance.now() > end) return
      }
    } while (ids.length === PAGE)
  }

  /** Nothing refers to a file that waits for its scan: it is asked about until its time is over. */
  async #look(id: string, now: number, scans: LaterScans | null): Promise<void> {
    const { store, limits, verdicts } = this.#deps
    const record = await store.directory.files.get(id)
    const waits = record?.scan === 'pending' && now - record.createdAt < limits.unusedLife * 1000
    if (waits) {
      const isAsked = !scans || (isFinished(record) && scans.add(record))
      // It is not due again while it is scanned.
      await verdicts.postpone(id, isAsked ? 'by age' : 'soon')
      return
    }
    const kept = await this.#check(id, now)
    if (!scans || !kept || kept.scan !== undefined || !isFinished(kept)) return
    const turn = scans.addEarlier(kept, now)
    if (turn === null) return
    await changeFile(store, id, (before) => (before.checkAt > turn ? { ...before, checkAt: turn } : before))
  }

  /** Resolves with a file that stays, and was due. */
  async #check(id: string, now: number): Promise<FileRecord | null> {
    const { store, removeBytes } = this.#deps
    const { value } = await store.transact<Checked>(`file ${id}`, async ({ directory }) => {
      const record = await directory.files.get(id)
      if (!record || record.checkAt > now) return { value: { kept: null, isRemoved: false } }
      const { ops, isUsed } = await this.#uses(directory, record)
      if (!isUsed) return { ops: await this.#removalOps(directory, record), value: { kept: null, isRemoved: true } }
      const kept = { ...record, checkAt: now + CHECK_EVERY }
      return { ops: [...directory.files.putOps(kept, record), ...ops], value: { kept, isRemoved: false } }
    })
    if (value.isRemoved) await removeBytes(id)
    return value.kept
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
