/** Removes files to which nothing refers, uploads whose time is over, and bytes of which there is no record. */
import { randomInt } from 'node:crypto'
import type { Files, LaterScans } from '../chat/files/files.js'
import type { FileRecord, FileStore } from '../store/files.js'
import { type BlobKind, type Blobs, FOLDERS } from './storage/blobs.js'
import type { FileStorage } from './storage/file-storage.js'

/** Ms for which bytes without a record stay: the record may be of a store that was restored, and an operator may see it. */
const STRAY_LIFE = 86_400_000

export interface MediaSweepDeps {
  readonly files: Pick<Files, 'sweep'>
  readonly records: Pick<FileStore, 'get'>
  readonly blobs: Blobs
  readonly storage: Pick<FileStorage, 'inFolder' | 'drop' | 'isOnDisk'>
  /** Null: files are not scanned. */
  readonly scans: LaterScans | null
}

export class MediaSweep {
  readonly #deps: MediaSweepDeps
  /** Begins anywhere, so that all come to their turn also where the broker is often started. */
  #folder = randomInt(FOLDERS)
  #nodeFolder = randomInt(FOLDERS)

  constructor(deps: MediaSweepDeps) {
    this.#deps = deps
  }

  /**
   * Looks at the files that are due, and at one folder of where all files are: at all in as many sweeps as there are folders. May be repeated,
   * and done by two nodes at a time. @param now Unix ms
   */
  async sweep(now: number): Promise<void> {
    const { files, scans, records, storage } = this.#deps
    await files.sweep(now, scans)
    this.#folder = (this.#folder + 1) % FOLDERS
    if (storage.isOnDisk) await this.#sweepDisk(now, this.#folder)
    for await (const kept of storage.inFolder(this.#folder))
      if (kept.at < now - STRAY_LIFE && isGone(await records.get(kept.id))) await storage.drop(kept)
  }

  /** What is on the disk of this node alone, a folder at a time. @param now Unix ms */
  async sweepNode(now: number): Promise<void> {
    if (this.#deps.storage.isOnDisk) return
    this.#nodeFolder = (this.#nodeFolder + 1) % FOLDERS
    await this.#sweepDisk(now, this.#nodeFolder)
  }

  async #sweepDisk(now: number, folder: number): Promise<void> {
    const { records, blobs } = this.#deps
    for await (const { id, kind, at } of blobs.inFolder(folder))
      if (at < now - STRAY_LIFE && this.#isStray(kind, await records.get(id))) await blobs.remove(id, [kind])
  }

  /** On the disk of the node. */
  #isStray(kind: BlobKind, record: FileRecord | null): boolean {
    if (isGone(record)) return true
    return record?.hash !== null && (kind === 'part' || !this.#deps.storage.isOnDisk)
  }
}

/** Nobody is served its bytes: those of one that was blocked could not be removed then. */
function isGone(record: FileRecord | null): boolean {
  return record === null || record.scan === 'blocked'
}
