import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * `mkdir -p`. Node's own recursive mkdir never returns if the file system answers ENOENT although the parent exists, as
 * /proc does.
 */
export function makeDirectory(path: string): void {
  if (!existsSync(path)) {
    if (!existsSync(dirname(path))) makeDirectory(dirname(path))
    mkdirSync(path, { mode: 0o700 })
  } else if (!statSync(path).isDirectory()) throw Object.assign(new Error('EEXIST: it is a file'), { code: 'EEXIST' })
}
