/**
 * An object in the bucket that says whose files are there. Two deployments with the same address would remove the files of each other, as what the
 * store of one does not know.
 */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { S3Client } from './s3-client.js'

/** Its key: no file has such an id. */
export const MARK = 'deployment'

export class ForeignBucket extends Error {
  constructor(url: string) {
    super(
      `media.s3.url: ${url} has the files of another deployment: give this one an address of its own, such as another name behind that of the bucket. If the other one is gone for good, delete the object ${MARK} there; then its files go, too`,
    )
  }
}

export class BucketMark {
  readonly #client: Pick<S3Client, 'text' | 'putFirst'>
  readonly #url: string
  readonly #deployment: string
  #isOurs = false

  /** @param url Of the bucket, with what the names in it begin with. @param deployment Id */
  constructor(client: Pick<S3Client, 'text' | 'putFirst'>, url: string, deployment: string) {
    this.#client = client
    this.#url = url
    this.#deployment = deployment
  }

  /** Marks a bucket that nobody has. @throws ForeignBucket, or what hinders to reach the bucket */
  async require(): Promise<void> {
    if (this.#isOurs) return
    const found = (await this.#client.text(MARK)) ?? (await this.#mark())
    if (found !== this.#deployment) throw new ForeignBucket(this.#url)
    this.#isOurs = true
  }

  /** The same, and looks anew: another deployment may have begun at the same time where the server knows no conditions, or after the mark was deleted. To be awaited before what is not known is removed. */
  confirm(): Promise<void> {
    this.#isOurs = false
    return this.require()
  }

  /** Resolves with what is there then. */
  async #mark(): Promise<string> {
    const bytes = Buffer.from(this.#deployment)
    const body = { open: () => Readable.from([bytes]), length: bytes.length }
    await this.#client.putFirst(MARK, body, createHash('sha256').update(bytes).digest('hex'))
    const found = await this.#client.text(MARK)
    if (found === null) throw new Error(`the object ${MARK} was stored, and is not there`)
    return found
  }
}
