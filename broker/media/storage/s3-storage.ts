/** Files are kept in a bucket. The disk of a node has a file only while it is made and looked at there. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { Refusal } from '../../../schemas/errors.js'
import { isFileId } from '../../../schemas/files.js'
import { type Blobs, folderName } from './blobs.js'
import type { BucketMark } from './bucket-mark.js'
import type { FileStorage, Kept, KeptKind } from './file-storage.js'
import { type S3Client, S3Error } from './s3-client.js'

/** What the key of the small image has behind the id. */
const SMALL = '.thumbnail'
const MISSING = 'the storage of files does not have this file'
/** Seconds after which a client may try again. */
const AGAIN = 10

export interface S3StorageDeps {
  readonly client: S3Client
  readonly mark: Pick<BucketMark, 'require' | 'confirm'>
  readonly blobs: Blobs
  readonly failed: (error: unknown) => void
}

export class S3Storage implements FileStorage {
  readonly isOnDisk = false
  readonly #deps: S3StorageDeps
  readonly #fetching = new Map<string, Promise<string>>()

  constructor(deps: S3StorageDeps) {
    this.#deps = deps
  }

  async keep(id: string, kinds: readonly KeptKind[], hash: string): Promise<void> {
    for (const kind of kinds) {
      const path = this.#deps.blobs.path(id, kind)
      const hex = kind === 'whole' ? Buffer.from(hash, 'base64url').toString('hex') : await hashOfSmall(path)
      const { size: length } = await stat(path)
      await this.#reached((client) => client.put(keyOf(id, kind), { open: () => createReadStream(path), length }, hex))
    }
  }

  async size(id: string, kind: KeptKind): Promise<number> {
    return (await this.#reached((client) => client.size(keyOf(id, kind)))) ?? 0
  }

  read(id: string, kind: KeptKind, start: number, end: number): Promise<Readable> {
    return this.#reached((client) => client.get(keyOf(id, kind), start, end))
  }

  /** One at a time of each file. */
  fetch(id: string): Promise<string> {
    const under = this.#fetching.get(id)
    if (under) return under
    const fetching = this.#fetch(id).finally(() => this.#fetching.delete(id))
    this.#fetching.set(id, fetching)
    return fetching
  }

  async #fetch(id: string): Promise<string> {
    const { blobs } = this.#deps
    const path = blobs.path(id, 'whole')
    const size = await this.#reached((client) => client.size(keyOf(id, 'whole')))
    if (size === null) throw new Refusal('not_found', MISSING)
    if (size > 0 && (await blobs.size(id, 'whole')) === size) return path
    const bytes = size === 0 ? [] : await this.read(id, 'whole', 0, size - 1)
    await blobs.remove(id, ['part'])
    await blobs.write(id, 0, size, bytes as AsyncIterable<Buffer>)
    await blobs.adopt(id)
    await blobs.remove(id, ['part'])
    return path
  }

  release(id: string): Promise<void> {
    return this.#deps.blobs.remove(id, ['whole', 'thumbnail'])
  }

  async remove(id: string): Promise<void> {
    await this.#deps.blobs.remove(id)
    for (const kind of ['whole', 'thumbnail'] as const) await this.#reached((client) => client.delete(keyOf(id, kind)))
  }

  async *inFolder(folder: number): AsyncGenerator<Kept> {
    const { client, mark } = this.#deps
    await mark.confirm()
    for await (const { key, at } of client.list(folderName(folder))) {
      const kind = key.endsWith(SMALL) ? 'thumbnail' : 'whole'
      const id = kind === 'whole' ? key : key.slice(0, -SMALL.length)
      if (isFileId(id)) yield { id, kind, at }
    }
  }

  drop({ id, kind }: Kept): Promise<void> {
    return this.#reached((client) => client.delete(keyOf(id, kind)))
  }

  async #reached<T>(work: (client: S3Client) => Promise<T>): Promise<T> {
    const { client, mark, failed } = this.#deps
    try {
      await mark.require()
      return await work(client)
    } catch (cause) {
      failed(new Error(`the storage of files (media.s3) failed: ${(cause as Error).message}`, { cause }))
      if (cause instanceof S3Error && cause.status === 404) throw new Refusal('not_found', MISSING, { cause })
      throw new Refusal('unavailable', 'the storage of files cannot be reached at present', {
        retryAfter: AGAIN,
        cause,
      })
    }
  }
}

function keyOf(id: string, kind: KeptKind): string {
  return kind === 'whole' ? id : id + SMALL
}

async function hashOfSmall(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}
