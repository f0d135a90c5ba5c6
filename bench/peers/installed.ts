/** Where a broker of the distribution is, if it is. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Distributions put brokers among the system's programs, which are not always on the path. */
export function installed(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
