import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'

/** Others may list the data directory, if somebody made it so; the secret that signs tokens is another matter. */
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
