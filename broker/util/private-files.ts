import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'

/**
 * Warns when others may read the files that hold secrets. The data directory itself may be listed by others, if its
 * owner made it so.
 */
export function warnOfOpenFiles(dataDir: string, log: Logger): void {
  if (process.platform === 'win32') return
  const secret = join(dataDir, 'secret')
  if (openToOthers(secret))
    log.warn({ file: secret }, 'other users of this machine can read the secret: chmod 600, and change it')
  if (openToOthers(dataDir)) log.warn({ dataDir }, 'other users of this machine can look into node.dataDir: chmod 700')
}

function openToOthers(path: string): boolean {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & 0o077) !== 0
}
