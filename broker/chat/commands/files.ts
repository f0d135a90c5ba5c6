import type { FILE_COMMANDS } from '../../../schemas/commands/files.js'
import type { CommandResult } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'
import type { BlockedContent } from '../../store/blocked-contents.js'
import type { Store } from '../../store/store.js'
import { type FileAccess, noFile } from '../files/file-access.js'
import type { FileLinks } from '../files/file-links.js'
import type { FileVerdicts } from '../files/file-verdicts.js'
import { fileView } from '../files/file-view.js'
import type { Files } from '../files/files.js'
import { isAdmin, requireAdmin, whose } from '../model/actor.js'
import type { Handlers } from './table.js'

export interface FileCommandDeps {
  readonly store: Pick<Store, 'directory'>
  readonly fileAccess: FileAccess
  readonly files: Pick<Files, 'own' | 'remove'>
  readonly fileVerdicts: Pick<FileVerdicts, 'block' | 'unblock'>
  readonly fileLinks: Pick<FileLinks, 'maker'>
  /** The account whose limits a user counts against. */
  readonly accountOf: (user: string) => string
}

export function fileCommands({
  store,
  fileAccess,
  files,
  fileVerdicts: verdicts,
  fileLinks: links,
  accountOf,
}: FileCommandDeps): Handlers<keyof typeof FILE_COMMANDS> {
  const records = store.directory.files
  return {
    'files.get': async (actor, { file }) => {
      const record = isAdmin(actor) ? await records.get(file) : await fileAccess.requireKnown(actor, file)
      if (!record) throw noFile(file)
      return JSON.stringify(fileView(record))
    },
    'files.list': async (actor, { user: named, after = '', limit = 50 }) => {
      const user = whose(actor, named, 'files')
      const ids = await records.ofUser(user, after, limit + 1)
      const found = await Promise.all(ids.slice(0, limit).map((id) => records.get(id)))
      const own = await fileAccess.ownedBy(user, found)
      const used = await records.totals(accountOf(user))
      return JSON.stringify({ files: own.map(fileView), used, more: ids.length > limit })
    },
    'files.links': async (actor, { files: ids }) => {
      const { expiresAt, linkTo } = await links.maker(actor.principal)
      const made: CommandResult<'files.links'>['links'] = []
      for (const id of new Set(ids)) {
        const found = await fileAccess.find(actor, id)
        if (!found) continue
        const small = found.facts?.thumbnail ? { thumbnail: linkTo(id, 'thumbnail') } : {}
        made.push({ file: id, url: linkTo(id, 'file'), ...small })
      }
      return JSON.stringify({ links: made, expiresAt })
    },
    'files.delete': async (actor, { file }) => {
      await files.own(actor, file)
      if (await files.remove(file)) return '{}'
      throw noFile(file)
    },
    'files.block': async (actor, { file, reason = null }) => {
      requireAdmin(actor, 'files are blocked by admins')
      return JSON.stringify(fileView(await verdicts.block(file, reason)))
    },
    'files.blocked': async (actor, { cursor, limit = 50 }) => {
      requireAdmin(actor, 'what is blocked is listed for admins')
      const after = cursor === undefined ? null : readCursor(cursor)
      const found = await store.directory.blockedContents.list(after, limit + 1)
      const contents = found.slice(0, limit)
      const more = found.length > limit
      const last = contents.at(-1)
      return JSON.stringify({ contents, more, ...(more && last && { cursor: `${last.blockedAt} ${last.hash}` }) })
    },
    'files.unblock': async (actor, { hash }) => {
      requireAdmin(actor, 'contents of files are unblocked by admins')
      await verdicts.unblock(hash)
      return '{}'
    },
  }
}

/** @throws Refusal */
function readCursor(cursor: string): Pick<BlockedContent, 'hash' | 'blockedAt'> {
  const [, blockedAt, hash] = /^(\d{1,15}) ([\w-]{43})$/.exec(cursor) ?? []
  if (hash !== undefined) return { blockedAt: Number(blockedAt), hash }
  throw new Refusal('bad_request', 'cursor is none that this command has given', { field: 'cursor' })
}
