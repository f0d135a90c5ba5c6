/** What nodes are told of commits, kept for a while for those that missed some. Entries of logs are not in it: they are read from their logs. */
import { type Committed, readCommit } from './events.js'
import type { Keys } from './keys.js'
import { PAGE, type Reader } from './reader.js'

export class Journal {
  readonly #reader: Reader
  readonly #keys: Keys

  constructor(reader: Reader, keys: Keys) {
    this.#reader = reader
    this.#keys = keys
  }

  /** Commits after `after` up to `last` that changed more than logs; null: some are not kept any more. */
  async between(after: number, last: number): Promise<Committed[] | null> {
    if (!(await this.#reaches(after))) return null
    const found: Committed[] = []
    for (let next = after + 1; next <= last; ) {
      const args = [this.#keys.journal, `${next}-0`, `${last}-1`, 'COUNT', PAGE]
      const page = (await this.#reader.call('XRANGE', args)) as [id: Buffer, fields: Buffer[]][]
      for (const [, fields] of page) found.push(readCommit(fields[1]!))
      if (page.length < PAGE) return found
      next = found[found.length - 1]!.number + 1
    }
    return found
  }

  /** Whether nothing behind a commit was removed. */
  async #reaches(after: number): Promise<boolean> {
    const [first] = (await this.#reader.call('XRANGE', [this.#keys.journal, '-', '+', 'COUNT', 1])) as [Buffer][]
    return !first || Number.parseInt(first[0].toString(), 10) <= after + 1
  }
}
