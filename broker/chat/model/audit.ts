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

/** Refused attempts are recorded at most this often per user, so that an attacker cannot flood the log: a burst, then one a minute. */
const ATTEMPTS_AT_ONCE = 10
const ATTEMPTS_PER_SECOND = 1 / 60
/** Maximum length of the details in characters of JSON; longer details are left out. */
const MAX_DETAILS = 16_384
/** Entries scanned for one page of results, and entries and bytes per read. */
const MAX_SCAN = 2000
const PAGE = 200
const PAGE_BYTES = 1_048_576

/** An administrative act. `details`: the parameters of the command. */
export interface Act {
  readonly action: string
  /** The user and the room acted on. */
  readonly user?: string | undefined
  readonly room?: string | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export interface AuditEntry extends Act {
  readonly seq: number
  readonly id: string
  readonly ts: number
  /** The user who acted. */
  readonly actor: string
  /** Null: done on the machine itself (command line). */
  readonly address: string | null
  readonly result: 'ok' | 'forbidden'
}

export interface AuditQuery {
  readonly before?: number | undefined
  readonly limit: number
  /** `server`: only acts done by an admin or on the machine, and acts outside of rooms. */
  readonly scope?: 'all' | 'server' | undefined
  readonly actor?: string | undefined
  readonly user?: string | undefined
  readonly room?: string | undefined
  readonly action?: string | undefined
}

/** The user who acts, over MQTT or HTTP or on the command line (the owner of the data directory). */
export interface AuditActor {
  readonly user: string
  readonly address: string | null
  /** Acts by a right that is not limited to one room (an admin). */
  readonly admin: boolean
}

export class Audit {
  readonly #store: Pick<Store, 'commit' | 'log'>
  readonly #accountOf: (user: string) => string
  readonly #attempts = new TokenBuckets(ATTEMPTS_PER_SECOND, ATTEMPTS_AT_ONCE)

  /** `accountOf`: the account whose limit a user's attempts count against. */
  constructor(store: Pick<Store, 'commit' | 'log'>, accountOf = (user: string): string => user) {
    this.#store = store
    this.#accountOf = accountOf
  }

  /**
   * Runs `work` and records the act. Resolves once the record is durable, so that no act is reported as done that is not in the log.
   * @param done The act, with what is known of it once it is done
   */
  async runAudited<T>(
    who: AuditActor,
    act: Act,
    work: () => Promise<T>,
    done: (result: T) => Act = () => act,
  ): Promise<T> {
    const result = await work().catch(async (error: unknown) => {
      const attempt = error instanceof Refusal && error.code === 'forbidden'
      if (attempt && this.#attempts.take(this.#accountOf(who.user)) === 0) await this.#write(who, act, 'forbidden')
      throw error
    })
    await this.#write(who, done(result), 'ok')
    return result
  }

  /**
   * Drafts of the record, to be committed together with what the act writes. `once`: deduplication id, equal for every retry of the act.
   * Acts outside of rooms are also written to a log of their own, because the owner of a room could push them out of the common log.
   */
  drafts(who: AuditActor, act: Act, result: AuditEntry['result'] = 'ok', once: string | null = null): Draft[] {
    const all = this.#draft(logs.audit(), who, act, result, once)
    return who.admin || act.room === undefined ? [all, this.#draft(logs.serverAudit(), who, act, result, once)] : [all]
  }

  #draft(log: string, who: AuditActor, act: Act, result: AuditEntry['result'], once: string | null): Draft {
    const { action, user, room, details } = act
    const id = uuid7()
    const ts = Date.now()
    const given = details && JSON.stringify(details).length <= MAX_DETAILS ? details : undefined
    const entry = { id, ts, actor: who.user, address: who.address, action, user, room, details: given, result }
    const dedupe = once === null ? null : { cid: once, hash: hashOf(JSON.stringify(act)) }
    const numbered = body('{"seq":', `,${JSON.stringify(entry).slice(1)}`)
    return { log, id, ts, from: who.user, qos: 1, body: numbered, dedupe }
  }

  /** The newest matching entries, or the newest before a seq, in ascending order. `before`: where the next page starts. */
  async list(query: AuditQuery): Promise<{ entries: AuditEntry[]; more: boolean; before?: number }> {
    const log = query.scope === 'server' ? await this.#serverLog() : logs.audit()
    const { head } = await this.#store.log.open(log)
    const entries: AuditEntry[] = []
    let position = query.before ?? head + 1
    for (let scanned = 0; scanned < MAX_SCAN; ) {
      const page = (await this.#store.log.readBefore(log, position, PAGE, PAGE_BYTES)).reverse()
      if (page.length === 0) return { entries, more: false }
      for (const entry of page) {
        position = entry.seq
        const read = readEntry(entry)
        if (matches(read, query)) entries.unshift(read)
        if (entries.length >= query.limit) return { entries, more: position > 1, before: position }
      }
      scanned += page.length
    }
    return { entries, more: true, before: position }
  }

  /** A store written before the server log existed has only the common log; it is shown in full. */
  async #serverLog(): Promise<string> {
    const { head } = await this.#store.log.open(logs.serverAudit())
    return head > 0 ? logs.serverAudit() : logs.audit()
  }

  async #write(who: AuditActor, act: Act, result: AuditEntry['result']): Promise<void> {
    await commit(this.#store, { drafts: this.drafts(who, act, result) })
  }
}

export function auditActor(actor: Actor): AuditActor {
  const { principal, address } = actor
  return { user: principal.user, address: address ?? null, admin: isAdmin(actor) }
}

function readEntry({ payload }: LogEntry): AuditEntry {
  return JSON.parse(payload.toString('utf8'))
}

function matches(entry: AuditEntry, query: AuditQuery): boolean {
  const given = (['actor', 'user', 'room', 'action'] as const).filter((key) => query[key] !== undefined)
  return given.every((key) => entry[key] === query[key])
}
