/** Compares what a server is set for with what acknowledgements promise (`store.redis.acks`). */
import type { Config } from '../../../schemas/config.js'
import type { Connection } from './connection.js'
import { textsOf } from './reply-pairs.js'
import { infoFields } from './server-facts.js'

export interface Needs extends Pick<Config['store']['redis'], 'acks' | 'replicas' | 'assume'> {
  /** Unix ms. */
  readonly now?: () => number
  /** Ms between two looks at what the server is set for. */
  readonly lookEvery?: number
}

export interface Finding {
  /** What is promised cannot be kept. */
  readonly fatal: boolean
  /** One line that says what to change. */
  readonly text: string
}

/** What a server says of itself. Null: it does not say. */
export interface ServerState {
  /** Such as 7.0.15. */
  readonly version: string
  readonly evicting: string | null
  readonly aof: boolean | null
  readonly fsync: string | null
  /** `yes`: nothing is synced while the file is rewritten. */
  readonly fsyncPaused: string | null
  /** Replicas that follow it. */
  readonly replicas: number
  /** Ms that its clock is ahead of ours, at least; negative: behind. */
  readonly ahead: number
}

const OLDEST = 7
/** Ms that clocks may differ: expiry and the times of messages go by them. */
const CLOCK_WARNS = 250
const CLOCK_REFUSED = 5000

/** Of this machine, also where a test replaces it. */
export const clockNow = Date.now

/** @throws StoreError if the connection is lost meanwhile. */
export async function checkServer(connection: Connection, needs: Needs): Promise<Finding[]> {
  return findingsOf(await readState(connection, needs.now ?? clockNow), needs)
}

export function findingsOf(
  state: ServerState,
  { acks, replicas, assume }: Omit<Needs, 'now' | 'lookEvery'>,
): Finding[] {
  const checks: [name: Needs['assume'][number] | null, fault: string | null][] = [
    [null, versionFault(state)],
    ['maxmemory-policy', evictionFault(state)],
    ['appendonly', aofFault(state)],
    ['appendfsync', fsyncFault(state, acks)],
    [null, acks === 'replicated' && state.replicas < replicas ? replicaFault(state.replicas, replicas) : null],
  ]
  const faults = checks.flatMap(([name, text]) =>
    text === null || (name !== null && assume.includes(name)) ? [] : [{ fatal: true, text }],
  )
  return [...faults, ...clockFindings(state.ahead)]
}

function versionFault({ version }: ServerState): string | null {
  return Number.parseInt(version, 10) >= OLDEST ? null : `Redis ${version} is too old: ${OLDEST}.0 or newer is needed`
}

function evictionFault({ evicting }: ServerState): string | null {
  if (evicting === 'noeviction') return null
  if (evicting === null) return hidden('maxmemory-policy', 'noeviction')
  return `maxmemory-policy is ${evicting}: with full memory Redis would delete what is acknowledged; set it to noeviction`
}

function aofFault({ aof }: ServerState): string | null {
  if (aof) return null
  if (aof === null) return hidden('appendonly', 'yes')
  return 'appendonly is no: with a crash Redis would lose all that was acknowledged since its last snapshot; set it to yes'
}

function fsyncFault({ aof, fsync, fsyncPaused }: ServerState, acks: Needs['acks']): string | null {
  // Said already.
  if (aof === false) return null
  if (fsync === null) return hidden('appendfsync', acks === 'synced' ? 'always' : 'everysec or always')
  if (fsync === 'no')
    return 'appendfsync is no: a crash may lose half a minute; set it to always, or to everysec with store.redis.acks: written'
  if (acks !== 'synced') return null
  if (fsync !== 'always')
    return `appendfsync is ${fsync}, but store.redis.acks is synced; set appendfsync to always, or accept with store.redis.acks: written that a crash loses a second or two`
  return fsyncPaused === 'yes' ? 'no-appendfsync-on-rewrite is yes, but store.redis.acks is synced; set it to no' : null
}

function replicaFault(found: number, needed: number): string {
  return `store.redis.acks is replicated with ${needed} replicas, but ${found} follow this server`
}

function hidden(directive: Needs['assume'][number], wanted: string): string {
  return `${directive} cannot be read; if you know that it is ${wanted}, add it to store.redis.assume`
}

export function clockFindings(ahead: number): Finding[] {
  const apart = Math.abs(ahead)
  if (apart <= CLOCK_WARNS) return []
  const text = `the clock of Redis is ${Math.round(apart)} ms ${ahead > 0 ? 'ahead of' : 'behind'} the clock of this node; both need a time service`
  return [{ fatal: apart > CLOCK_REFUSED, text }]
}

async function readState(connection: Connection, now: () => number): Promise<ServerState> {
  const [ahead, info, settings] = await Promise.all([
    readClock(connection, now),
    connection.call('INFO', []).then(infoFields),
    readSettings(connection),
  ])
  const enabled = info.get('aof_enabled')
  return {
    version: info.get('redis_version') ?? '',
    evicting: settings.get('maxmemory-policy') ?? info.get('maxmemory_policy') ?? null,
    aof: enabled === undefined ? null : enabled === '1',
    fsync: settings.get('appendfsync') ?? null,
    fsyncPaused: settings.get('no-appendfsync-on-rewrite') ?? null,
    replicas: [...info].filter(([name, value]) => /^slave\d+$/.test(name) && value.includes('state=online')).length,
    ahead,
  }
}

/** Managed services forbid CONFIG: then nothing is known. */
async function readSettings(connection: Connection): Promise<ReadonlyMap<string, string>> {
  const directives = ['maxmemory-policy', 'appendfsync', 'no-appendfsync-on-rewrite']
  try {
    return textsOf(await connection.call('CONFIG', ['GET', ...directives]))
  } catch (error) {
    if (connection.ended) throw error
    return new Map()
  }
}

async function readClock(connection: Connection, now: () => number): Promise<number> {
  const before = now()
  const [seconds, micros] = ((await connection.call('TIME', [])) as Buffer[]).map(Number) as [number, number]
  return aheadOf(seconds * 1000 + micros / 1000, before, now())
}

/** Ms, at least, that a clock is ahead which was read between two times of ours. Negative: behind. */
export function aheadOf(theirs: number, before: number, after: number): number {
  return theirs > after ? theirs - after : Math.min(0, theirs - before)
}
