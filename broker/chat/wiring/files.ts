/** Files: their records, who may read them, and what messages refer to. */
import type { Config } from '../../../schemas/config.js'
import { AttachedFiles } from '../files/attached-files.js'
import { FileAccess } from '../files/file-access.js'
import { FileLinks } from '../files/file-links.js'
import { FileVerdicts } from '../files/file-verdicts.js'
import { Files } from '../files/files.js'
import type { SharedServices } from './shared.js'

export function makeFiles({ media }: Config, { store, accountOf, audit, space, removeBytes, linkKey }: SharedServices) {
  const fileAccess = new FileAccess(store, store.directory)
  const verdicts = new FileVerdicts({ store, audit, limits: media, removeBytes })
  return {
    fileAccess,
    fileLinks: new FileLinks({ directory: store.directory, key: linkKey, life: media.linkLife }),
    attachedFiles: new AttachedFiles(fileAccess, media.roomBytes),
    fileVerdicts: verdicts,
    files: new Files({ store, access: fileAccess, accountOf, audit, verdicts, limits: media, space, removeBytes }),
  }
}

export type FileServices = ReturnType<typeof makeFiles>
