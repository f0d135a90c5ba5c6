/** What users see of a file. */
import type { CommandResult } from '../../../schemas/commands.js'
import type { FileRecord } from '../../store/files.js'
import { pathTo } from './file-links.js'

export function fileView(record: FileRecord): CommandResult<'files.get'> {
  const { id, user, name, mime, size, createdAt, hash, scan, blockedFor } = record
  const scanned = { ...(scan && { scan }), ...(blockedFor !== undefined && { blockedFor }) }
  return { file: id, user, name, mime, size, createdAt, finished: hash !== null, ...scanned, ...factsView(record) }
}

/** What is known of its contents, with the address of its small image. */
export function factsView({ id, facts = {} }: FileRecord) {
  const { thumbnail, ...measures } = facts
  return { ...measures, ...(thumbnail ? { thumbnail: pathTo(id, 'thumbnail') } : {}) }
}
