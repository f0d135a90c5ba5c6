/** What scanners and admins decide on files. What was in a file that is blocked is refused when it is uploaded again. */
import { Refusal } from '../../../schemas/errors.js'
import { SYSTEM } from '../../../schemas/ids.js'
import type { BlockedContent } from '../../store/blocked-contents.js'
import type { Draft } from '../../store/changes.js'
import type { FileRecord } from '../../store/files.js'
import type { Store } from '../../store/store.js'
import type { Audit } from '../model/audit.js'
import { type FinishedFile, isFinished, noFile } from './file-access.js'
import { changeFile } from './file-change.js'

/** Ms between two attempts to scan a file, at least. */
export const SCAN_AGAIN = 60_000
/** Longest reason of a scanner that is kept, in characters. */
const MAX_REASON = 500

export interface FileVerdictsDeps {
  readonly store: Pick<Store, 'directory' | 'transact'>
  readonly audit: Pick<Audit, 'drafts'>
  readonly limits: {
    /** Seconds. */
    readonly unusedLife: number
    /** Contents that are remembered as blocked. */
    readonly blockedContents: number
  }
  /** Removes the bytes of a file. What fails is found by a later sweep of the directory. */
  readonly removeBytes: (id: string) => Promise<void>
}

/** What a scanner says. */
export type ScanVerdict = { readonly clean: true } | { readonly clean: false; readonly reason: string | null }

export class FileVerdicts {
  readonly #deps: FileVerdictsDeps

  constructor(deps: FileVerdictsDeps) {
    this.#deps = deps
  }

  /** What a scanner says of a file. It changes nothing if another node has heard of it first. Null: the file is gone. */
  settle(id: string, verdict: ScanVerdict): Promise<FileRecord | null> {
    const { store, limits } = this.#deps
    const change = (before: FileRecord): FileRecord => {
      if (before.scan === 'clean' || before.scan === 'blocked') return before
      const now = verdict.clean ? ({ scan: 'clean' } as const) : blocked(verdict.reason)
      // One from before there was a scanner keeps its time: messages may refer to it.
      const isNew = before.scan === 'pending'
      return { ...before, ...now, ...(isNew ? { checkAt: Date.now() + limits.unusedLife * 1000 } : {}) }
    }
    return changeFile(store, id, change, async (next, directory) => {
      if (next.scan !== 'blocked') return {}
      const ops = await directory.blockedContents.addOps(contentOf(next, 'scanner'), limits.blockedContents)
      return { drafts: blockedDrafts(this.#deps.audit, next), ops }
    })
  }

  /** There is no verdict yet: the older the file, the later it is asked for again, or soon if it could not be asked for. Null: it is gone. */
  postpone(id: string, until: 'by age' | 'soon' = 'by age'): Promise<FileRecord | null> {
    return changeFile(this.#deps.store, id, (before) => {
      const now = Date.now()
      if (before.scan !== 'pending') return before
      const age = until === 'soon' ? 0 : now - before.createdAt
      return { ...before, checkAt: now + Math.max(SCAN_AGAIN, age) }
    })
  }

  /** An admin blocks it. @throws Refusal `not_found`, or `conflict` while its upload is not finished */
  async block(id: string, reason: string | null): Promise<FileRecord> {
    const { store, limits, removeBytes } = this.#deps
    const change = (before: FileRecord): FileRecord => {
      if (!isFinished(before)) throw new Refusal('conflict', 'its upload is not finished', { field: 'file' })
      return { ...before, ...blocked(reason) }
    }
    const record = await changeFile(store, id, change, async (next, { blockedContents }) => ({
      ops: await blockedContents.addOps(contentOf(next, 'admin'), limits.blockedContents),
    }))
    if (!record) throw noFile(id)
    await removeBytes(id)
    return record
  }

  /** The content may be uploaded again; files of it that are blocked stay so. @throws Refusal `not_found` */
  async unblock(hash: string): Promise<void> {
    await this.#deps.store.transact(`blocked content ${hash}`, async ({ directory: { blockedContents } }) => {
      const content = await blockedContents.get(hash)
      if (!content) throw new Refusal('not_found', `no content of the hash ${hash} is blocked`, { field: 'hash' })
      return { ops: await blockedContents.removeOps(content), value: undefined }
    })
  }
}

/** The record of a file whose content is blocked. */
export function blockedBy({ reason }: BlockedContent): Pick<FileRecord, 'scan' | 'blockedFor'> {
  return blocked(reason)
}

/** What the audit log has of a file that is blocked without an admin. */
export function blockedDrafts(
  audit: Pick<Audit, 'drafts'>,
  { id, user, mime, size, blockedFor, hash }: FileRecord,
): Draft[] {
  const details = { file: id, mime, size, hash, reason: blockedFor }
  return audit.drafts({ user: SYSTEM, address: null, admin: true }, { action: 'files.block', user, details })
}

function blocked(reason: string | null): Pick<FileRecord, 'scan' | 'blockedFor'> {
  return { scan: 'blocked', ...(reason === null ? {} : { blockedFor: reason.slice(0, MAX_REASON) }) }
}

function contentOf(record: FileRecord, by: BlockedContent['by']): BlockedContent {
  const { hash, mime, size, blockedFor: reason = null } = record as FinishedFile
  return { hash, mime, size, reason, by, blockedAt: Date.now() }
}
