import type { FILE_COMMANDS } from '../../../schemas/commands/files.js'
import type { CommandResult } from '../../../schemas/commands.js'
import { MEDIA } from '../../../schemas/files.js'
import type { FileRecord } from '../../store/files.js'
import type { Store } from '../../store/store.js'
import { type FileAccess, noFile } from '../files/file-access.js'
import type { Files } from '../files/files.js'
import { type Actor, requireUser } from '../model/actor.js'
import type { Handlers } from './table.js'

export interface FileCommandDeps {
  readonly store: Pick<Store, 'directory'>
  readonly fileAccess: FileAccess
  readonly files: Pick<Files, 'own' | 'remove'>
  /** The account whose limits a user counts against. */
  readonly accountOf: (user: string) => string
}

export function fileCommands({
  store,
  fileAccess,
  files,
  accountOf,
}: FileCommandDeps): Handlers<keyof typeof FILE_COMMANDS> {
  const records = store.directory.files
  return {
    'files.get': async (actor, { file }) => JSON.stringify(shown(await readable(fileAccess, store, actor, file))),
    'files.list': async (actor, { after = '', limit = 50 }) => {
      const user = requireUser(actor)
      const ids = await records.ofUser(user, after, limit + 1)
      const found = await Promise.all(ids.slice(0, limit).map((id) => records.get(id)))
      const own: FileRecord[] = []
      for (const record of found) if (record && (await fileAccess.isOwner(user, record))) own.push(record)
      const used = await records.totals(accountOf(user))
      return JSON.stringify({ files: own.map(shown), used, more: ids.length > limit })
    },
    'files.delete': async (actor, { file }) => {
      await files.own(actor, file)
      if (await files.remove(file)) return '{}'
      throw noFile(file)
    },
  }
}

/** The owner sees unfinished uploads too. */
async function readable(
  access: FileAccess,
  { directory }: Pick<Store, 'directory'>,
  actor: Actor,
  id: string,
): Promise<FileRecord> {
  const record = await directory.files.get(id)
  if (record && (await access.isOwner(requireUser(actor), record))) return record
  return access.require(actor, id)
}

function shown({ id, user, name, mime, size, createdAt, hash, facts = {} }: FileRecord): CommandResult<'files.get'> {
  const { thumbnail, ...measures } = facts
  const image = thumbnail ? { thumbnail: `${MEDIA}/${id}/thumbnail` } : {}
  return { file: id, user, name, mime, size, createdAt, finished: hash !== null, ...measures, ...image }
}
