/** What is stored of logs: how far each is, and its entries, in blocks. */
import type { LogName } from '../log-name.js'
import type { LogEntry, LogInfo } from '../logs.js'
import { BLOCK_ENTRIES, decodeEntry } from './entry-codec.js'
import type { Keys } from './keys.js'
import type { Reader } from './reader.js'

export class StoredLogs {
  readonly #reader: Reader
  readonly #keys: Keys

  constructor(reader: Reader, keys: Keys) {
    this.#reader = reader
    this.#keys = keys
  }

  async info(name: LogName): Promise<LogInfo> {
    const [head, tail, life] = await this.#reader.hashFields(this.#keys.head(name), ['head', 'tail', 'life'])
    return { name, head: Number(head ?? 0), tail: Number(tail ?? 1), incarnation: Number(life ?? 0) }
  }

  /** The entries that are stored together with `seq`; none: the log was trimmed or dropped. */
  async block({ name, incarnation }: LogInfo, seq: number): Promise<LogEntry[]> {
    const number = Math.floor((seq - 1) / BLOCK_ENTRIES)
    const found = await this.#reader.list(this.#keys.block(name, incarnation, number), 0, -1)
    return found.map((value, i) => decodeEntry(value, number * BLOCK_ENTRIES + 1 + i))
  }

  /** Entries from `first` to `last`, up to the first one that is not there. */
  async range(info: LogInfo, first: number, last: number): Promise<LogEntry[]> {
    const entries: LogEntry[] = []
    for (let seq = first; seq <= last; ) {
      const block = await this.block(info, seq)
      if (block.length === 0) return entries
      for (const entry of block) if (entry.seq >= seq && entry.seq <= last) entries.push(entry)
      seq = block[block.length - 1]!.seq + 1
    }
    return entries
  }

  async *names(): AsyncGenerator<LogName> {
    const seen = new Set<LogName>()
    for await (const page of this.#reader.setPages(this.#keys.logs))
      for (const name of page) if (!seen.has(name) && seen.add(name)) yield name
  }
}
