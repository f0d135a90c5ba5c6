/** The versions of a message: as it was sent, and each of its edits. */
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import { noteName, seqOfName } from '../../store/notes.js'
import type { Store } from '../../store/store.js'
import { listedBytes } from '../model/paging.js'

export interface VersionQuery {
  /** Only versions with a seq above. */
  readonly after: number
  readonly limit: number
  readonly maxBytes: number
}

/** A page as JSON: `{"versions":[…ascending…],"more":…}`. Edits that expired are left out. */
export async function readVersions(
  store: Pick<Store, 'log' | 'notes'>,
  log: LogName,
  original: LogEntry,
  { after, limit, maxBytes }: VersionQuery,
): Promise<string> {
  const { seq } = original
  const names = { gte: noteName(Math.max(after, seq) + 1), lt: noteName(Number.MAX_SAFE_INTEGER) }
  const edits = await store.notes.list(log, { kind: 'edit', targets: [seq, seq], names, limit: limit + 1 })
  const versions = after < seq ? [original.payload.toString('utf8')] : []
  let bytes = versions.reduce((sum, text) => sum + listedBytes(text), 0)
  for (const { name } of edits) {
    const edit = seqOfName(name)
    const [entry] = await store.log.read(log, edit - 1, 1, 1)
    if (entry?.seq !== edit) continue
    const text = entry.payload.toString('utf8')
    bytes += listedBytes(text)
    if (versions.length === limit || (versions.length > 0 && bytes > maxBytes)) return page(versions, true)
    versions.push(text)
  }
  return page(versions, false)
}

function page(versions: readonly string[], more: boolean): string {
  return `{"versions":[${versions.join(',')}],"more":${more}}`
}
