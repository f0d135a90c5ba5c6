/** Exports of accounts: who asks gets a link, and whoever has the link gets the zip file, once. */
import { Refusal } from '../../../schemas/errors.js'
import { sameHash } from '../../auth/credentials.js'
import type { Principal } from '../../auth/principal.js'
import { hashSecret, newSecret } from '../../auth/secrets.js'
import type { Store } from '../../store/store.js'
import { type Actor, requireUser } from '../model/actor.js'
import { accountFiles } from './account-files.js'
import { zipped } from './zip.js'

/** How long a link is good for, in ms. */
const LINK_LIVES = 600_000
/** Links that are open at a time, and downloads under way; each user has one of both at most. */
const MAX_LINKS = 10_000
const MAX_DOWNLOADS = 4
/** A download that others wait for may be ended after so many ms, if it takes fewer bytes a second. */
const HAD_THEIR_TIME = 30_000
const SLOW = 262_144
/** Bytes of messages in one export: a zip file without extensions ends at 4 GiB. */
const MAX_BYTES = 2 ** 31

export interface ExportsParts {
  readonly store: Store
  /** Whether nothing took back meanwhile what a login rests on. */
  readonly stands: (principal: Principal) => Promise<boolean>
  /** Whether there is an HTTP door to download from. */
  readonly reachable: boolean
  /** For whom a user counts. */
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
  /** It gave way to another. */
  ended: boolean
}

export class Exports {
  readonly #parts: ExportsParts
  /** By user; oldest first. */
  readonly #links = new Map<string, Link>()
  /** For whom downloads count, with what each has taken: one of each. */
  readonly #downloading = new Map<string, Download>()

  constructor(parts: ExportsParts) {
    this.#parts = parts
  }

  /** A new link takes the place of the one before. */
  ask(actor: Actor): { ticket: string; expiresAt: number } {
    const user = requireUser(actor)
    if (!this.#parts.reachable)
      throw new Refusal('not_implemented', 'exports are downloaded over HTTP, which is off here (listen.http)')
    if (this.#downloading.has(this.#parts.accountOf(user))) throw underWay()
    const ticket = newSecret()
    const expiresAt = Date.now() + LINK_LIVES
    this.#links.delete(user)
    this.#links.set(user, { principal: actor.principal, hash: hashSecret(ticket), expiresAt })
    if (this.#links.size > MAX_LINKS) this.#links.delete(this.#links.keys().next().value!)
    return { ticket, expiresAt }
  }

  /** The zip file of a link, which is used up by it. What is returned has to be read to the end, or returned. */
  async open(ticket: string): Promise<AsyncGenerator<Buffer>> {
    const { principal } = this.#find(hashSecret(ticket))
    const account = this.#parts.accountOf(principal.user)
    if (this.#downloading.has(account)) throw underWay()
    this.#makePlace()
    const download: Download = { account, since: Date.now(), bytes: 0, ended: false }
    // Its place is taken before anything is waited for: others come at the same time.
    this.#downloading.set(account, download)
    this.#links.delete(principal.user)
    const pieces = this.#download(principal, download)
    // Begun, so that it gives its place back also where it is dropped unread.
    await pieces.next()
    return pieces
  }

  /** Where all places are taken, the slowest of those that had their time gives way, if it is slow indeed. */
  #makePlace(): void {
    if (this.#downloading.size < MAX_DOWNLOADS) return
    const now = Date.now()
    const rates = [...this.#downloading.values()].filter(({ since }) => now - since > HAD_THEIR_TIME)
    const [slowest] = rates.sort((a, b) => rateOf(a, now) - rateOf(b, now))
    if (!slowest || rateOf(slowest, now) > SLOW)
      throw new Refusal('unavailable', `${MAX_DOWNLOADS} exports are under way already`, { retryAfter: 60 })
    slowest.ended = true
    this.#downloading.delete(slowest.account)
  }

  /** The first piece is none: by then it is known whether there will be any. */
  async *#download(principal: Principal, download: Download): AsyncGenerator<Buffer> {
    const { store, stands } = this.#parts
    try {
      if (!(await stands(principal))) throw noLink()
      yield Buffer.alloc(0)
      const files = accountFiles(store, principal.user, MAX_BYTES)
      for await (const piece of zipped(this.#whileItStands(principal, files))) {
        if (download.ended) throw new Refusal('unavailable', 'the download was too slow, and others waited')
        download.bytes += piece.length
        yield piece
      }
    } finally {
      if (this.#downloading.get(download.account) === download) this.#downloading.delete(download.account)
    }
  }

  /** Who is logged out meanwhile, or removed, gets no further file. */
  async *#whileItStands<T>(principal: Principal, files: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const file of files) {
      if (!(await this.#parts.stands(principal))) throw new Refusal('unauthorized', 'logged out during the export')
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
