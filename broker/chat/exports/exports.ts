/** Account exports: the user requests a link, and whoever has the link downloads the zip file once. */
import { Refusal } from '../../../schemas/errors.js'
import { Tickets } from '../../auth/tickets.js'
import type { Verified } from '../../auth/validity.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser } from '../model/actor.js'
import { accountFiles } from './account-files.js'
import { zipped } from './zip.js'

/** Life of a link in ms, and links of a user. */
const LINKS = { lifetime: 600_000, perUser: 1 }
/** Maximum number of downloads at once; one per user. */
const MAX_DOWNLOADS = 4
/** A download older than this many ms may be ended in favour of another, if it takes fewer bytes a second than `SLOW`. */
const PROTECTED_FOR = 30_000
const SLOW = 262_144
/** Maximum bytes of messages per export: a zip file without extensions ends at 4 GiB. */
const MAX_BYTES = 2 ** 31

export interface ExportsDeps {
  readonly store: Store
  /** Whether the login is still valid. */
  readonly isValid: (verified: Verified) => Promise<boolean>
  /** Whether HTTP is enabled, to download from. */
  readonly httpEnabled: boolean
  /** The account whose limit a user counts against. */
  readonly accountOf: (user: string) => string
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
  readonly #links: Tickets<'exportLink'>
  /** Downloads by account. */
  readonly #downloading = new Map<string, Download>()

  constructor(deps: ExportsDeps) {
    this.#deps = deps
    this.#links = new Tickets(deps.store, 'exportLink', LINKS)
  }

  /** Creates a link, which replaces the user's previous one. @throws Refusal */
  async createLink(actor: Actor): Promise<{ ticket: string; expiresAt: number }> {
    const user = requireUser(actor)
    if (!this.#deps.httpEnabled)
      throw new Refusal('not_implemented', 'exports are downloaded over HTTP, which is off here (listen.http)')
    if (this.#downloading.has(this.#deps.accountOf(user))) throw underWay()
    const { account, issuedAt, login } = actor.principal
    const { ticket, until } = await this.#links.issue({
      user,
      ...(account && { account }),
      ...(issuedAt !== undefined && { issuedAt }),
      ...(login !== undefined && { login }),
    })
    return { ticket, expiresAt: until }
  }

  /** Starts the download of a link, which is used up. The generator must be read to its end or closed. @throws Refusal */
  async open(ticket: string): Promise<AsyncGenerator<Buffer>> {
    const link = await this.#links.find(ticket)
    if (!link) throw noLink()
    const account = this.#deps.accountOf(link.user)
    if (this.#downloading.has(account)) throw underWay()
    this.#endSlowest()
    const download: Download = { account, since: Date.now(), bytes: 0, ended: false }
    // Registered before anything else is waited for, because others may come at the same time.
    this.#downloading.set(account, download)
    const pieces = this.#download(ticket, download)
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

  /** The first piece is empty: it tells the caller that the link was used up, and that the login is valid. */
  async *#download(ticket: string, download: Download): AsyncGenerator<Buffer> {
    const { store, isValid } = this.#deps
    try {
      const link = await this.#links.take(ticket)
      if (!link || !(await isValid(link))) throw noLink()
      yield Buffer.alloc(0)
      const files = accountFiles(store, link.user, MAX_BYTES)
      for await (const piece of zipped(this.#whileValid(link, files))) {
        if (download.ended) throw new Refusal('unavailable', 'the download was too slow, and others waited')
        download.bytes += piece.length
        yield piece
      }
    } finally {
      if (this.#downloading.get(download.account) === download) this.#downloading.delete(download.account)
    }
  }

  /** Checks the login before each file. */
  async *#whileValid<T>(verified: Verified, files: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const file of files) {
      if (!(await this.#deps.isValid(verified))) throw new Refusal('unauthorized', 'logged out during the export')
      yield file
    }
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
