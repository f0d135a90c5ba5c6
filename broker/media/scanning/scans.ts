/** Files are scanned when their upload ends, and again while there is no verdict. Nothing is served of a file before that. */
import type { Config } from '../../../schemas/config.js'
import type { FinishedFile } from '../../chat/files/file-access.js'
import type { FileVerdicts, ScanVerdict } from '../../chat/files/file-verdicts.js'
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
  readonly verdicts: Pick<FileVerdicts, 'settle' | 'postpone'>
  readonly storage: Pick<FileStorage, 'fetch' | 'release' | 'remove'>
  readonly options: Pick<Config['media']['scan'], 'timeout' | 'onFailure' | 'concurrency'>
  readonly counters: Counters
  readonly failed: (error: unknown) => void
}

/** Whose turn it is: uploads that wait for their scan, and scans that nobody waits for, take turns. */
export type ScanLane = 'upload' | 'later'

export class Scans {
  readonly #deps: ScansDeps
  readonly #turns: Semaphore
  /** End the scans under way. */
  readonly #interrupts = new Set<(error: Error) => void>()
  #isClosed = false

  constructor(deps: ScansDeps) {
    this.#deps = deps
    const full = (): Error => new Error(`more than ${MOST_WAITING} files wait to be scanned`)
    this.#turns = new Semaphore(deps.options.concurrency, MOST_WAITING, full)
  }

  /** Resolves with what is known of the file then; null: it is gone. The bytes of a file that is blocked are removed. */
  async scan(file: FinishedFile, lane: ScanLane): Promise<FileRecord | null> {
    const { verdicts, storage } = this.#deps
    const verdict = await this.#verdict(file, lane)
    const known = verdict ? await this.#settle(file, verdict) : await verdicts.postpone(file.id)
    await storage.release(file.id)
    return known
  }

  /** Scans under way, and those that wait, end without a verdict. */
  close(): void {
    this.#isClosed = true
    for (const interrupt of this.#interrupts) interrupt(stopped())
  }

  async #settle({ id }: FinishedFile, verdict: ScanVerdict): Promise<FileRecord | null> {
    const { verdicts, storage, counters, failed } = this.#deps
    counters.add(verdict.clean ? 'scans.clean' : 'scans.blocked')
    const settled = await verdicts.settle(id, verdict)
    // Another scan may have come before.
    if (settled?.scan === 'blocked') await storage.remove(id).catch(failed)
    return settled
  }

  /** Null: there is none yet. */
  async #verdict(file: FinishedFile, lane: ScanLane): Promise<ScanVerdict | null> {
    const { options, counters, failed } = this.#deps
    try {
      return await this.#turns.run({ place: lane, name: file.user }, () => this.#untilClosed(() => this.#ask(file)))
    } catch (error) {
      if (this.#isClosed) return null
      counters.add('scans.failed')
      failed(new Error(`a file was not scanned: ${(error as Error).message}`, { cause: error }))
      // One that is served anyway is asked about again.
      return options.onFailure === 'allow' && file.scan === 'pending' ? { clean: true } : null
    }
  }

  async #untilClosed<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw stopped()
    let interrupt: (error: Error) => void = () => {}
    const interrupted = new Promise<never>((_, reject) => {
      interrupt = reject
    })
    this.#interrupts.add(interrupt)
    try {
      return await Promise.race([work(), interrupted])
    } finally {
      this.#interrupts.delete(interrupt)
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

function stopped(): Error {
  return new Error('the broker stops')
}
