/** Files are scanned when their upload ends, and again while there is no verdict. Nothing is served of a file before that. */
import type { Config } from '../../../schemas/config.js'
import type { FinishedFile } from '../../chat/files/file-access.js'
import type { Files, ScanVerdict } from '../../chat/files/files.js'
import type { FileRecord } from '../../store/files.js'
import type { Counters } from '../../util/counters.js'
import { Semaphore } from '../../util/semaphore.js'
import type { FileStorage } from '../storage/file-storage.js'
import type { Scanner } from './scanner.js'

/** Files that may wait for their turn; what is beyond is scanned later. */
const MOST_WAITING = 256

export interface ScansDeps {
  /** Asked in this order; each has to find it clean. */
  readonly scanners: readonly Scanner[]
  readonly files: Pick<Files, 'settleScan' | 'postponeScan'>
  readonly storage: Pick<FileStorage, 'fetch' | 'release' | 'remove'>
  readonly options: Pick<Config['media']['scan'], 'timeout' | 'onFailure' | 'concurrency'>
  readonly counters: Counters
  readonly failed: (error: unknown) => void
}

export class Scans {
  readonly #deps: ScansDeps
  readonly #turns: Semaphore

  constructor(deps: ScansDeps) {
    this.#deps = deps
    const full = (): Error => new Error(`more than ${MOST_WAITING} files wait to be scanned`)
    this.#turns = new Semaphore(deps.options.concurrency, MOST_WAITING, full)
  }

  /** Resolves with what is known of the file then; null: it is gone. The bytes of a file that is blocked are removed. */
  async scan(file: FinishedFile): Promise<FileRecord | null> {
    const { files, storage } = this.#deps
    const verdict = await this.#verdict(file)
    const known = verdict ? await this.#settle(file, verdict) : await files.postponeScan(file.id)
    await storage.release(file.id)
    return known
  }

  async #settle({ id }: FinishedFile, verdict: ScanVerdict): Promise<FileRecord | null> {
    const { files, storage, counters, failed } = this.#deps
    counters.add(verdict.clean ? 'scans.clean' : 'scans.blocked')
    const settled = await files.settleScan(id, verdict)
    // Another scan may have come before.
    if (settled?.scan === 'blocked') await storage.remove(id).catch(failed)
    return settled
  }

  /** Null: there is none yet. */
  async #verdict(file: FinishedFile): Promise<ScanVerdict | null> {
    const { options, counters, failed } = this.#deps
    try {
      return await this.#turns.run({ place: '', name: file.user }, () => this.#ask(file))
    } catch (error) {
      counters.add('scans.failed')
      failed(new Error(`a file was not scanned: ${(error as Error).message}`, { cause: error }))
      return options.onFailure === 'allow' ? { clean: true } : null
    }
  }

  async #ask({ id, user, name, mime, size, hash }: FinishedFile): Promise<ScanVerdict> {
    const { scanners, storage, options } = this.#deps
    const path = await storage.fetch(id)
    for (const scanner of scanners) {
      const verdict = await scanner.scan({ file: id, user, name, mime, size, hash }, path, options.timeout)
      if (!verdict.clean) return verdict
    }
    return { clean: true }
  }
}
