/**
 * Links to the bytes of files that need no login, as for the images of a page. A link is its user's: it ends with what ends the right to read the
 * file, and with the login it was made with.
 */
import { createHmac, type KeyObject } from 'node:crypto'
import { Refusal } from '../../../schemas/errors.js'
import { MEDIA } from '../../../schemas/file-paths.js'
import { requireSameAccount, versionOf } from '../../auth/account-version.js'
import { sameHash } from '../../auth/credentials.js'
import type { Principal } from '../../auth/principal.js'
import { isValid } from '../../auth/validity.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { AccountVersion } from '../../store/users.js'

/** The file, or the small image of it. */
export type LinkedKind = 'file' | 'thumbnail'

/** What a link says, beside the address; all of it is text, and none of it is believed without the signature. */
export interface LinkQuery {
  readonly user: string
  /** Unix seconds. */
  readonly expires: string
  /** Id of the login or key that it was made with; empty: another kind of login. */
  readonly login: string
  readonly signature: string
}

export interface FileLinksDeps {
  readonly directory: DirectoryStore
  readonly key: KeyObject
  /** Seconds that a link lasts, at least. */
  readonly life: number
}

export class FileLinks {
  readonly #deps: FileLinksDeps

  constructor(deps: FileLinksDeps) {
    this.#deps = deps
  }

  /** Makes the links of a user, all with the same end (Unix ms). Those made soon after are the same, so that browsers need not load again what they have. */
  async maker(principal: Principal): Promise<{ expiresAt: number; linkTo(id: string, kind: LinkedKind): string }> {
    const { user, login } = principal
    const account = versionOf(await requireSameAccount(this.#deps.directory, principal))
    const expires = String(Math.floor(this.#endOf(principal) / 1000))
    const made = { user, expires, login: login ?? '' }
    return {
      expiresAt: Number(expires) * 1000,
      linkTo: (id, kind) => {
        const signature = this.#sign(id, kind, made, account)
        return `${pathTo(id, kind)}?${new URLSearchParams({ ...made, signature })}`
      },
    }
  }

  /** Whom a link to a file is for. @throws Refusal `forbidden` if it is not good, or not any more */
  async principalOf(id: string, kind: LinkedKind, link: LinkQuery): Promise<Principal> {
    const { directory } = this.#deps
    const record = await directory.user(link.user)
    const account = record && versionOf(record)
    if (!account || !sameHash(link.signature, this.#sign(id, kind, link, account)))
      throw new Refusal('forbidden', NOT_GOOD)
    const expiresAt = Number(link.expires) * 1000
    const login = link.login === '' ? null : link.login
    const principal = { user: link.user, roles: new Set<string>(), anonymous: false, expiresAt, account, login }
    if (expiresAt <= Date.now() || !(await isValid(directory, principal, Date.now())))
      throw new Refusal('forbidden', OVER)
    return principal
  }

  /** Unix ms. Not behind the end of the login. */
  #endOf({ expiresAt }: Principal): number {
    const life = this.#deps.life * 1000
    const end = (Math.floor(Date.now() / life) + 2) * life
    return Math.min(end, expiresAt ?? end)
  }

  #sign(
    id: string,
    kind: LinkedKind,
    { user, expires, login }: Omit<LinkQuery, 'signature'>,
    account: AccountVersion,
  ): string {
    const signed = JSON.stringify([kind, id, user, expires, login, account.id, account.revocations])
    return createHmac('sha256', this.#deps.key).update(signed).digest('base64url')
  }
}

const NOT_GOOD = 'this link is not good, or all links of its user were revoked'
const OVER = 'the time of this link is over: ask for a new one (files.links)'

export function pathTo(id: string, kind: LinkedKind): string {
  return kind === 'file' ? `${MEDIA}/${id}` : `${MEDIA}/${id}/thumbnail`
}
