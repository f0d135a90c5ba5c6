/** What is stored of logs: how far each is, and its entries, in blocks. */
import type { LogName } from '../log-name.js'
import type { LogEntry, LogGrowth, LogInfo } from '../logs.js'
import type { StoredLog } from '../moving/contents.js'
import { BLOCK_ENTRIES, decodeEntry } from './entry-codec.js'
import type { Keys } from './keys.js'
import type { Reader } from './reader.js'

/**
 * Of a commit, with the head as it left it: nodes of a version that keeps no such numbers add to logs without them, and then it says nothing.
 */
export function encodeGrown(commit: number, head: number): string {
  return `${commit}:${head}`
}

function decodeGrown(text: string, head: number): number {
  const [commit, to] = text.split(':')
  return Number(to) === head ? Number(commit) : 0
}

const HEAD_FIELDS = ['head', 'tail', 'life', 'former', 'grown', 'spoken']

/** What is stored of a log beside its entries. */
export async function readHead(reader: Reader, keys: Keys, name: LogName): Promise<StoredLog> {
  const [head, tail, life, former, grown, spoken] = await reader.hashFields(keys.head(name), HEAD_FIELDS)
  return {
    name,
    head: Number(head ?? 0),
    tail: Number(tail ?? 1),
    incarnation: Number(life ?? 0),
    former: Number(former ?? 0),
    grownIn: decodeGrown(String(grown ?? ''), Number(head ?? 0)),
    spokenIn: Number(spoken ?? 0),
  }
}

export class StoredLogs {
  readonly #reader: Reader
  readonly #keys: Keys

  constructor(reader: Reader, keys: Keys) {
    this.#reader = reader
    this.#keys = keys
  }

  info(name: LogName): Promise<LogGrowth> {
    return readHead(this.#reader, this.#keys, name)
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
