/** What of the configuration changes in a running broker, without cutting anyone off. */
import type { Logger } from 'pino'
import type { Config } from '../../schemas/config.js'
import type { RuleAcl } from '../auth/acl.js'
import type { Rates } from '../chat/model/rates.js'
import { leaves } from '../config/check.js'
import type { Listener } from '../net/listener.js'

export interface Reloaded {
  /** Keys that count from now on. */
  readonly applied: readonly string[]
  /** Keys that were changed too, and count from the next start on. */
  readonly restart: readonly string[]
}

export interface Reloading {
  readonly log: Logger
  readonly listeners: readonly Listener[]
  readonly acl: Pick<RuleAcl, 'replace'>
  readonly rates: Pick<Rates, 'set'>
  /** Told once other rules count: what live sessions have has to be looked at anew. */
  readonly rulesChanged: () => Promise<void>
}

/** Certificates and revocation lists are read anew even where their paths are the same. */
const LIVE: ReadonlySet<string> = new Set([
  'log.level',
  'listen.tls.cert',
  'listen.tls.key',
  'listen.tls.ca',
  'listen.tls.crl',
  'acl.rules',
  'limits.rates',
  'auth.registration',
  'rooms.create',
  'rooms.autoCreate',
])

/**
 * Brings `current` up to `next` where that is possible.
 *
 * @throws ListenError where a certificate cannot be used: nothing has changed then.
 */
export async function reload(current: Config, next: Config, deps: Reloading): Promise<Reloaded> {
  for (const { renew } of deps.listeners) await renew?.(next.listen.tls)
  const changed = changedKeys(current, next)
  deps.log.level = next.log.level
  deps.acl.replace(next.acl.rules)
  deps.rates.set(next.limits.rates)
  take(current, next)
  if (changed.includes('acl.rules')) await deps.rulesChanged()
  return {
    applied: changed.filter((key) => LIVE.has(key)),
    restart: changed.filter((key) => !LIVE.has(key)),
  }
}

/** Those who ask `current` each time know of it at once. */
function take(current: Config, next: Config): void {
  current.log.level = next.log.level
  Object.assign(current.listen.tls, next.listen.tls)
  current.acl.rules = next.acl.rules
  current.limits.rates = next.limits.rates
  current.auth.registration = next.auth.registration
  current.rooms.create = next.rooms.create
  current.rooms.autoCreate = next.rooms.autoCreate
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
