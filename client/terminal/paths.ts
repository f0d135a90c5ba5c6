import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { STEERING } from '../../schemas/terminal-text.js'

/** Paths that Tab offers. */
const MOST = 50

/** Those that begin with `start`; folders end with `/`. Names with characters that steer a terminal, or end a line, are left out. */
export function pathsFrom(start: string): string[] {
  const folder = start.endsWith('/') ? start : dirname(start) === '.' ? '' : `${dirname(start).replace(/\/$/, '')}/`
  try {
    const entries = readdirSync(atHome(folder) || '.', { withFileTypes: true })
    const paths = entries.map((entry) => folder + entry.name + (entry.isDirectory() ? '/' : ''))
    return paths.filter((path) => path.startsWith(start) && path.search(STEERING) < 0).slice(0, MOST)
  } catch {
    return []
  }
}

/** With the home of the user in place of `~`. */
export function atHome(path: string): string {
  return path.startsWith('~/') ? homedir() + path.slice(1) : path
}
