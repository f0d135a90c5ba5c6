/**
 * Uploads: begun with their size, continued at any time until they are finished or their time is over. How far one has come is how many
 * bytes are there.
 */
import { Refusal } from '../../schemas/errors.js'
import { noFile, requireServed } from '../chat/files/file-access.js'
import type { Files, FinishedContent, NewFile } from '../chat/files/files.js'
import type { Actor } from '../chat/model/actor.js'
import type { FileRecord } from '../store/files.js'
import { freeBytes } from '../util/free-bytes.js'
import type { Images } from './images/images.js'
import { SNIFFED, sniff } from './media-types.js'
import type { Recordings } from './recordings/recordings.js'
import type { Scans } from './scanning/scans.js'
import type { Blobs } from './storage/blobs.js'
import type { FileStorage } from './storage/file-storage.js'
import type { Transfers } from './transfers.js'

export interface UploadsDeps {
  readonly files: Pick<Files, 'requireSize' | 'create' | 'own' | 'claim' | 'unclaim' | 'finish' | 'remove'>
  readonly blobs: Blobs
  readonly storage: FileStorage
  readonly transfers: Transfers
  /** Null: images are taken as they are. */
  readonly images: Images | null
  /** Null: nothing is known of audio and video. */
  readonly recordings: Recordings | null
  /** Null: files are not scanned. */
  readonly scans: Pick<Scans, 'scan'> | null
  /** Other nodes see the same files. */
  readonly isShared: boolean
  /** The directory of the files. */
  readonly dir: string
  /** Bytes of its disk to keep free. */
  readonly minFree: number
}

export interface UploadState {
  readonly record: FileRecord
  /** Bytes that are there. */
  readonly offset: number
}

/** What is sent of an upload, as it arrives. */
export interface UploadBody {
  /** Bytes; null: not known before. */
  readonly length: number | null
  readonly bytes: AsyncIterable<Buffer>
  /** Ends it: another request goes on with the upload. */
  cancel(): void
}

/** An upload that receives bytes. */
interface Receiving {
  readonly cancel: () => void
  readonly done: Promise<UploadState>
}

export class Uploads {
  readonly #deps: UploadsDeps
  readonly #receiving = new Map<string, Receiving>()

  constructor(deps: UploadsDeps) {
    this.#deps = deps
  }

  /** @throws Refusal */
  async create(actor: Actor, file: NewFile): Promise<UploadState> {
    const { files, dir, minFree } = this.#deps
    // First: what is refused for want of space is tried again and again.
    files.requireSize(file.size)
    if ((await freeBytes(dir)) < minFree + file.size)
      throw new Refusal('unavailable', 'the disk of the files is nearly full (media.minFree)', { retryAfter: 300 })
    const record = await files.create(actor, file)
    return file.size === 0 ? { record: await this.#finish(actor, record), offset: 0 } : { record, offset: 0 }
  }

  /** How far an upload of the actor has come. @throws Refusal `not_found` */
  async find(actor: Actor, id: string): Promise<UploadState> {
    const record = await this.#deps.files.own(actor, id)
    if (record.hash !== null) return { record, offset: record.size }
    if (record.checkAt <= Date.now())
      throw new Refusal('not_found', 'the time of this upload is over (media.uploadLife)')
    return { record, offset: Math.min(await this.#deps.blobs.size(id, 'part'), record.size) }
  }

  /**
   * The same for a client that is to go on. If all bytes are there, it waits until the upload is finished, or finishes it, as the broker may have
   * stopped before that: then there is nothing to go on with.
   */
  async resume(actor: Actor, id: string): Promise<UploadState> {
    const state = await this.find(actor, id)
    if (state.record.hash !== null || state.offset < state.record.size) return state
    return this.#receiving.get(id)?.done ?? this.append(actor, id, state.offset, NO_BODY)
  }

  /**
   * Goes on with an upload at `offset`, which must be how far it has come. A request that is still sending ends: its client has lost it.
   * @throws Refusal
   */
  async append(actor: Actor, id: string, offset: number, body: UploadBody): Promise<UploadState> {
    const end = this.#deps.transfers.begin(actor.principal.user)
    try {
      await this.#deps.files.own(actor, id)
      for (let former = this.#receiving.get(id); former; former = this.#receiving.get(id)) {
        former.cancel()
        await former.done.catch(() => {})
      }
      const done = this.#append(actor, id, offset, body)
      const receiving: Receiving = { cancel: () => body.cancel(), done }
      this.#receiving.set(id, receiving)
      return await done.finally(() => this.#receiving.delete(id))
    } finally {
      end()
    }
  }

  async #append(actor: Actor, id: string, offset: number, body: UploadBody): Promise<UploadState> {
    const { record, offset: present } = await this.find(actor, id)
    if (offset !== present) throw new Refusal('conflict', `the upload goes on at ${present}, not at ${offset}`)
    if (record.hash !== null) return { record, offset }
    if (body.length !== null && offset + body.length > record.size) throw tooMuch(record)
    const reached = await this.#write(record, offset, body)
    return reached === record.size
      ? { record: await this.#finish(actor, record), offset: reached }
      : { record, offset: reached }
  }

  async #write({ id, size }: FileRecord, offset: number, { bytes }: UploadBody): Promise<number> {
    try {
      return await this.#deps.blobs.write(id, offset, size, bytes)
    } catch (error) {
      if (error instanceof RangeError) throw tooMuch({ size })
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
        throw new Refusal('unavailable', 'the disk is full; go on later', { retryAfter: 300, cause: error })
      throw error
    }
  }

  /** The part stays until the record says that the file is there: after a crash it is made anew. */
  async #finish(actor: Actor, record: FileRecord): Promise<FileRecord> {
    const { files, blobs, isShared } = this.#deps
    if (!isShared) return this.#make(actor, record)
    const claimed = await files.claim(record.id)
    if (claimed.hash !== null) {
      await blobs.remove(record.id, ['part'])
      throw new Refusal('conflict', 'the upload was finished at another node')
    }
    try {
      return await this.#make(actor, record)
    } catch (error) {
      await files.unclaim(record.id)
      throw error
    }
  }

  async #make(actor: Actor, { id, size }: FileRecord): Promise<FileRecord> {
    const { blobs, storage, files, scans } = this.#deps
    if (size === 0) await blobs.write(id, 0, 0, nothing())
    const content = await this.#content(actor, id, size)
    const hash = await blobs.hash(id)
    await storage.keep(id, content.facts.thumbnail ? ['whole', 'thumbnail'] : ['whole'], hash)
    const record = await files
      .finish(actor, id, { ...content, hash, isScanned: scans !== null })
      .catch((error: unknown) => this.#notFinished(actor, id, error))
    await blobs.remove(id, ['part'])
    if (record.scan === 'blocked') {
      // What is left is found by a later sweep.
      await storage.remove(id).catch(() => {})
      requireServed(record)
    }
    if (!scans) {
      await storage.release(id)
      return record
    }
    const scanned = await scans.scan(record, 'upload')
    if (!scanned) throw noFile(id)
    if (scanned.scan === 'blocked') requireServed(scanned)
    return scanned
  }

  /** A file that was removed meanwhile has been kept since. */
  async #notFinished(actor: Actor, id: string, error: unknown): Promise<never> {
    const { files, storage } = this.#deps
    await files.own(actor, id).catch(() => storage.remove(id))
    throw error
  }

  async #content(actor: Actor, id: string, size: number): Promise<Omit<FinishedContent, 'hash' | 'isScanned'>> {
    const { blobs, images, recordings } = this.#deps
    const mime = sniff(await blobs.head(id, SNIFFED))
    if (images?.takes(mime)) return this.#image(images, actor, id, mime)
    await blobs.adopt(id)
    if (!recordings?.takes(mime)) return { mime, size, facts: {} }
    return { mime, size, facts: await recordings.read(actor.principal.user, { from: blobs.path(id, 'whole'), mime }) }
  }

  /** What cannot be read is removed: nobody can do anything with it. */
  async #image(
    images: Images,
    actor: Actor,
    id: string,
    given: string,
  ): Promise<Omit<FinishedContent, 'hash' | 'isScanned'>> {
    const { blobs, files } = this.#deps
    const [from, to, small] = (['part', 'whole', 'thumbnail'] as const).map((kind) => blobs.path(id, kind))
    try {
      const { mime, size, ...measures } = await images.convert(actor.principal.user, given, {
        from: from!,
        to: to!,
        small: small!,
      })
      return { mime, size, facts: { ...measures, thumbnail: true } }
    } catch (error) {
      if (error instanceof Refusal && error.code === 'bad_request') await files.remove(id)
      throw error
    }
  }

  /** Gives an upload up, or removes the file that it became. @throws Refusal `not_found` */
  async remove(actor: Actor, id: string): Promise<void> {
    const { files } = this.#deps
    await files.own(actor, id)
    this.#receiving.get(id)?.cancel()
    await this.#receiving.get(id)?.done.catch(() => {})
    await files.remove(id)
  }
}

async function* nothing(): AsyncGenerator<Buffer> {}

const NO_BODY: UploadBody = { length: 0, bytes: { [Symbol.asyncIterator]: nothing }, cancel: () => {} }

function tooMuch({ size }: Pick<FileRecord, 'size'>): Refusal {
  return new Refusal('too_large', `the upload was announced with ${size} bytes`)
}
