/** Account exports: the user requests a link, and whoever has the link downloads the zip file once. */
import { Refusal } from '../../../schemas/errors.js'
import { sameHash } from '../../auth/credentials.js'
import type { Principal } from '../../auth/principal.js'
import { hashSecret, newSecret } from '../../auth/secrets.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser } from '../model/actor.js'
import { accountFiles } from './account-files.js'
import { zipped } from './zip.js'

/** Life of a link in ms. */
const LINK_LIFE = 600_000
/** Maximum number of open links, and of downloads; one of each per user. */
const MAX_LINKS = 10_000
const MAX_DOWNLOADS = 4
/** A download older than this many ms may be ended in favour of another, if it takes fewer bytes a second than `SLOW`. */
const PROTECTED_FOR = 30_000
const SLOW = 262_144
/** Maximum bytes of messages per export: a zip file without extensions ends at 4 GiB. */
const MAX_BYTES = 2 ** 31

export interface ExportsDeps {
  readonly store: Store
  /** Whether the login is still valid. */
  readonly isValid: (principal: Principal) => Promise<boolean>
  /** Whether HTTP is enabled, to download from. */
  readonly httpEnabled: boolean
  /** The account whose limit a user counts against. */
  readonly accountOf: (user: string) => string
}

interface Link {
  readonly principal: Principal
  readonly hash: string
  readonly expiresAt: number
}

interface Download {
  readonly account: string
  /** Unix ms. */
  readonly since: number
  bytes: number
  /** The download was ended in favour of another. */
  ended: boolean
}

export class Exports {
  readonly #deps: ExportsDeps
  /** By user; oldest first. */
  readonly #links = new Map<string, Link>()
  /** Downloads by account. */
  readonly #downloading = new Map<string, Download>()

  constructor(deps: ExportsDeps) {
    this.#deps = deps
  }

  /** Creates a link, which replaces the user's previous one. @throws Refusal */
  createLink(actor: Actor): { ticket: string; expiresAt: number } {
    const user = requireUser(actor)
    if (!this.#deps.httpEnabled)
      throw new Refusal('not_implemented', 'exports are downloaded over HTTP, which is off here (listen.http)')
    if (this.#downloading.has(this.#deps.accountOf(user))) throw underWay()
    const ticket = newSecret()
    const expiresAt = Date.now() + LINK_LIFE
    this.#links.delete(user)
    this.#links.set(user, { principal: actor.principal, hash: hashSecret(ticket), expiresAt })
    if (this.#links.size > MAX_LINKS) this.#links.delete(this.#links.keys().next().value!)
    return { ticket, expiresAt }
  }

  /** Starts the download of a link, which is used up. The generator must be read to its end or closed. @throws Refusal */
  async open(ticket: string): Promise<AsyncGenerator<Buffer>> {
    const { principal } = this.#find(hashSecret(ticket))
    const account = this.#deps.accountOf(principal.user)
    if (this.#downloading.has(account)) throw underWay()
    this.#endSlowest()
    const download: Download = { account, since: Date.now(), bytes: 0, ended: false }
    // Registered before the first await, because others may come at the same time.
    this.#downloading.set(account, download)
    this.#links.delete(principal.user)
    const pieces = this.#download(principal, download)
    // Started, so that its `finally` runs even if it is never read.
    await pieces.next()
    return pieces
  }

  /** If all downloads are taken, ends the slowest one that is old and slow enough. @throws Refusal `unavailable`. */
  #endSlowest(): void {
    if (this.#downloading.size < MAX_DOWNLOADS) return
    const now = Date.now()
    const candidates = [...this.#downloading.values()].filter(({ since }) => now - since > PROTECTED_FOR)
    const [slowest] = candidates.sort((a, b) => rateOf(a, now) - rateOf(b, now))
    if (!slowest || rateOf(slowest, now) > SLOW)
      throw new Refusal('unavailable', `${MAX_DOWNLOADS} exports are under way already`, { retryAfter: 60 })
    slowest.ended = true
    this.#downloading.delete(slowest.account)
  }

  /** The first piece is empty: it tells the caller whether the login is valid. */
  async *#download(principal: Principal, download: Download): AsyncGenerator<Buffer> {
    const { store, isValid } = this.#deps
    try {
      if (!(await isValid(principal))) throw noLink()
      yield Buffer.alloc(0)
      const files = accountFiles(store, principal.user, MAX_BYTES)
      for await (const piece of zipped(this.#whileValid(principal, files))) {
        if (download.ended) throw new Refusal('unavailable', 'the download was too slow, and others waited')
        download.bytes += piece.length
        yield piece
      }
    } finally {
      if (this.#downloading.get(download.account) === download) this.#downloading.delete(download.account)
    }
  }

  /** Checks the login before each file. */
  async *#whileValid<T>(principal: Principal, files: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const file of files) {
      if (!(await this.#deps.isValid(principal))) throw new Refusal('unauthorized', 'logged out during the export')
      yield file
    }
  }

  #find(hash: string): Link {
    for (const link of this.#links.values()) if (sameHash(link.hash, hash) && link.expiresAt > Date.now()) return link
    throw noLink()
  }
}

function rateOf({ since, bytes }: Download, now: number): number {
  return (bytes * 1000) / (now - since)
}

function underWay(): Refusal {
  return new Refusal('conflict', 'an export is under way; ask again when it is done')
}

function noLink(): Refusal {
  return new Refusal('not_found', 'this link is not good any more; ask for another (account.export)')
}
