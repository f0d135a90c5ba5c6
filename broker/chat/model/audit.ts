/** The log of administrative acts: who did what, to whom, when, from where, and whether it was allowed. */

import { Refusal } from '../../../schemas/errors.js'
import { body } from '../../store/body.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import { uuid7 } from '../../util/uuid7.js'
import { type Actor, isAdmin } from './actor.js'
import { hashOf } from './message.js'
import { logs } from './views.js'

/** Attempts of one user that were refused: so many at once, and one a minute, are worth a line each. */
const ATTEMPTS_AT_ONCE = 10
const ATTEMPTS_PER_SECOND = 1 / 60
/** Characters of details; an act with more goes without. */
const MAX_DETAILS = 16_384
/** Entries looked at for one page, and read at once. */
const MAX_SCAN = 2000
const PAGE = 200
const PAGE_BYTES = 1_048_576

/** What is done; `details`: parameters that say how. */
export interface Act {
  readonly action: string
  /** To whom, and in which room. */
  readonly user?: string | undefined
  readonly room?: string | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export interface AuditEntry extends Act {
  readonly seq: number
  readonly id: string
  readonly ts: number
  /** Who did it. */
  readonly actor: string
  /** Null: on the machine itself. */
  readonly address: string | null
  readonly result: 'ok' | 'forbidden'
}

export interface AuditQuery {
  readonly before?: number | undefined
  readonly limit: number
  /** server: only what was done as an admin or on the machine, and tried outside of rooms. */
  readonly scope?: 'all' | 'server' | undefined
  readonly actor?: string | undefined
  readonly user?: string | undefined
  readonly room?: string | undefined
  readonly action?: string | undefined
}

/** Who acts: someone at a door, or the owner of the data directory. */
export interface Acting {
  readonly user: string
  readonly address: string | null
  /** By a right that reaches beyond rooms. */
  readonly admin: boolean
}

export class Audit {
  readonly #store: Pick<Store, 'commit' | 'log'>
  readonly #accountOf: (user: string) => string
  readonly #attempts = new TokenBuckets(ATTEMPTS_PER_SECOND, ATTEMPTS_AT_ONCE)

  /** `accountOf`: for whom a user counts. */
  constructor(store: Pick<Store, 'commit' | 'log'>, accountOf = (user: string): string => user) {
    this.#store = store
    this.#accountOf = accountOf
  }

  /** Does it; resolves once that is in the log, so that nobody is told of an act that is not. */
  async during<T>(who: Acting, act: Act, work: () => Promise<T>): Promise<T> {
    const result = await work().catch(async (error: unknown) => {
      const attempt = error instanceof Refusal && error.code === 'forbidden'
      if (attempt && this.#attempts.take(this.#accountOf(who.user)) === 0) await this.#write(who, act, 'forbidden')
      throw error
    })
    await this.#write(who, act, 'ok')
    return result
  }

  /**
   * An act that is to be committed with what it does. `once`: the same however often it comes, as a retry may. Whoever has a room may fill the log of all
   * acts, so those beyond rooms have one of their own, too.
   */
  drafts(who: Acting, act: Act, result: AuditEntry['result'] = 'ok', once: string | null = null): Draft[] {
    const all = this.#draft(logs.audit(), who, act, result, once)
    return who.admin || act.room === undefined ? [all, this.#draft(logs.serverAudit(), who, act, result, once)] : [all]
  }

  #draft(log: string, who: Acting, act: Act, result: AuditEntry['result'], once: string | null): Draft {
    const { action, user, room, details } = act
    const id = uuid7()
    const ts = Date.now()
    const given = details && JSON.stringify(details).length <= MAX_DETAILS ? details : undefined
    const entry = { id, ts, actor: who.user, address: who.address, action, user, room, details: given, result }
    const dedupe = once === null ? null : { cid: once, hash: hashOf(JSON.stringify(act)) }
    const numbered = body('{"seq":', `,${JSON.stringify(entry).slice(1)}`)
    return { log, id, ts, from: who.user, qos: 1, body: numbered, dedupe }
  }

  /** The newest that match, or those before a number; ascending. `before`: where to go on. */
  async list(query: AuditQuery): Promise<{ entries: AuditEntry[]; more: boolean; before?: number }> {
    const log = query.scope === 'server' ? await this.#serverLog() : logs.audit()
    const { head } = await this.#store.log.open(log)
    const entries: AuditEntry[] = []
    let reached = query.before ?? head + 1
    for (let scanned = 0; scanned < MAX_SCAN; ) {
      const page = (await this.#store.log.readBefore(log, reached, PAGE, PAGE_BYTES)).reverse()
      if (page.length === 0) return { entries, more: false }
      for (const entry of page) {
        reached = entry.seq
        const read = readEntry(entry)
        if (matches(read, query)) entries.unshift(read)
        if (entries.length >= query.limit) return { entries, more: reached > 1, before: reached }
      }
      scanned += page.length
    }
    return { entries, more: true, before: reached }
  }

  /** Of before there was one of them alone, all are shown. */
  async #serverLog(): Promise<string> {
    const { head } = await this.#store.log.open(logs.serverAudit())
    return head > 0 ? logs.serverAudit() : logs.audit()
  }

  async #write(who: Acting, act: Act, result: AuditEntry['result']): Promise<void> {
    await commit(this.#store, { drafts: this.drafts(who, act, result) })
  }
}

export function acting(actor: Actor): Acting {
  const { principal, address } = actor
  return { user: principal.user, address: address ?? null, admin: isAdmin(actor) }
}

function readEntry({ payload }: LogEntry): AuditEntry {
  return JSON.parse(payload.toString('utf8'))
}

function matches(entry: AuditEntry, query: AuditQuery): boolean {
  const asked = (['actor', 'user', 'room', 'action'] as const).filter((key) => query[key] !== undefined)
  return asked.every((key) => entry[key] === query[key])
}
