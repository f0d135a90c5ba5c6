/** Downloads: what may be read is looked at again while it is read. */
import type { Readable } from 'node:stream'
import type { FileAccess, FinishedFile } from '../chat/files/file-access.js'
import type { Actor } from '../chat/model/actor.js'
import type { FileStorage, KeptKind } from './storage/file-storage.js'
import type { Transfers } from './transfers.js'

/** Ms between two looks at whether a download may go on. */
const LOOK_EVERY = 1000

export interface DownloadsDeps {
  readonly access: FileAccess
  readonly storage: Pick<FileStorage, 'size' | 'read'>
  readonly transfers: Transfers
  /** Whether the login of the actor is still valid. */
  readonly isValid: (actor: Actor) => Promise<boolean>
  readonly failed: (error: unknown) => void
}

/** First and last byte. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export class Downloads {
  readonly #deps: DownloadsDeps

  constructor(deps: DownloadsDeps) {
    this.#deps = deps
  }

  /** @throws Refusal `not_found` */
  find(actor: Actor, id: string): Promise<FinishedFile> {
    return this.#deps.access.require(actor, id)
  }

  /** Bytes of the small image; 0: there is none. */
  thumbnailSize({ id, facts }: FinishedFile): Promise<number> {
    return facts?.thumbnail ? this.#deps.storage.size(id, 'thumbnail') : Promise.resolve(0)
  }

  /** Opens a file that was found. The stream ends early when the actor may not read it any more. @throws Refusal */
  async open(actor: Actor, { id }: FinishedFile, kind: KeptKind, { start, end }: ByteRange): Promise<Readable> {
    const { storage, transfers, failed } = this.#deps
    const ended = transfers.begin(actor.principal.user)
    let stream: Readable
    try {
      stream = await storage.read(id, kind, start, end)
    } catch (error) {
      ended()
      throw error
    }
    const look = setInterval(() => {
      this.#mayGoOn(actor, id).then((may) => {
        if (!may) stream.destroy(new Error('it may not be read any more'))
      }, failed)
    }, LOOK_EVERY).unref()
    stream.once('close', () => {
      clearInterval(look)
      ended()
    })
    return stream
  }

  async #mayGoOn(actor: Actor, id: string): Promise<boolean> {
    const { access, isValid } = this.#deps
    if (!(await isValid(actor))) return false
    return access.require(actor, id).then(
      () => true,
      () => false,
    )
  }
}
