/** What of the configuration changes in a running broker, without cutting anyone off. */
import type { Logger } from 'pino'
import type { Config } from '../schemas/config.js'
import { leaves } from './config-check.js'
import type { Listener } from './net/listener.js'

export interface Reloaded {
  /** Keys that count from now on. */
  readonly applied: readonly string[]
  /** Keys that were changed too, and count from the next start on. */
  readonly restart: readonly string[]
}

/** Certificates and revocation lists are read anew even where their paths are the same. */
const LIVE: ReadonlySet<string> = new Set([
  'log.level',
  'listen.tls.cert',
  'listen.tls.key',
  'listen.tls.ca',
  'listen.tls.crl',
])

/**
 * Brings `current` up to `next` where that is possible.
 *
 * @throws ListenError where a certificate cannot be used: nothing has changed then.
 */
export async function reload(
  current: Config,
  next: Config,
  { log, listeners }: { log: Logger; listeners: readonly Listener[] },
): Promise<Reloaded> {
  for (const { renew } of listeners) await renew?.(next.listen.tls)
  const changed = changedKeys(current, next)
  log.level = next.log.level
  current.log.level = next.log.level
  Object.assign(current.listen.tls, next.listen.tls)
  return {
    applied: changed.filter((key) => LIVE.has(key)),
    restart: changed.filter((key) => !LIVE.has(key)),
  }
}

function changedKeys(before: Config, after: Config): string[] {
  const differs = (path: readonly string[]): boolean =>
    JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path))
  return leaves()
    .filter(({ path }) => differs(path))
    .map(({ path }) => path.join('.'))
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((section, step) => (section as Record<string, unknown>)[step], value)
}
