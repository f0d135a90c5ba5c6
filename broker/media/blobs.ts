/** The bytes of files, in a directory: each under its id, in a folder by the beginning of the id. Nobody else names a file here. */
import { createHash } from 'node:crypto'
import type { ReadStream } from 'node:fs'
import { constants, type FileHandle, mkdir, open, opendir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isFileId } from '../../schemas/files.js'
import { SNIFFED } from './media-types.js'

/** Bytes per read. */
const PIECE = 65_536

export interface Digest {
  /** SHA-256, base64url. */
  readonly hash: string
  /** The first bytes. */
  readonly head: Buffer
}

export class Blobs {
  readonly #dir: string

  /** @param dir An existing directory */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** Bytes that are there; 0: none. */
  async size(id: string): Promise<number> {
    try {
      return (await stat(this.#path(id))).size
    } catch (error) {
      if (isMissing(error)) return 0
      throw error
    }
  }

  /**
   * Writes what the source yields behind `offset`, at most up to `end`. Resolves with the new offset: what was written is durable then, also
   * if the source fails. @throws what the source throws, and a RangeError if it has more
   */
  async write(id: string, offset: number, end: number, source: AsyncIterable<Buffer>): Promise<number> {
    const file = await this.#openToWrite(id)
    try {
      let at = offset
      for await (const piece of source) {
        if (at + piece.length > end) throw new RangeError('more bytes than were announced')
        for (let done = 0; done < piece.length; )
          done += (await file.write(piece, done, piece.length - done, at + done)).bytesWritten
        at += piece.length
      }
      return at
    } finally {
      await file.datasync()
      await file.close()
    }
  }

  async #openToWrite(id: string): Promise<FileHandle> {
    const path = this.#path(id)
    try {
      return await open(path, constants.O_WRONLY)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    const folder = this.#folder(id)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
    // The names are durable too, so that what was acknowledged is found after a crash of the machine.
    for (const directory of [folder, this.#dir]) await syncDirectory(directory)
    return file
  }

  /** Reads all of it. */
  async digest(id: string): Promise<Digest> {
    const hash = createHash('sha256')
    let head = Buffer.alloc(0)
    const file = await open(this.#path(id))
    for await (const piece of file.createReadStream({ highWaterMark: PIECE }) as AsyncIterable<Buffer>) {
      if (head.length === 0) head = Buffer.from(piece.subarray(0, SNIFFED))
      hash.update(piece)
    }
    return { hash: hash.digest('base64url'), head }
  }

  /** A part of the bytes, `start` to `end` included. The stream closes what it opened. */
  async read(id: string, start: number, end: number): Promise<ReadStream> {
    const file = await open(this.#path(id))
    return file.createReadStream({ start, end, highWaterMark: PIECE })
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true })
  }

  /** What is there, with the time it was written last (Unix ms). Other files are passed over. */
  async *all(): AsyncGenerator<{ id: string; at: number }> {
    for await (const folder of await opendir(this.#dir)) {
      if (!folder.isDirectory() || !/^[0-9a-f]{2}$/.test(folder.name)) continue
      for await (const { name } of await opendir(join(this.#dir, folder.name))) {
        if (!isFileId(name)) continue
        const found = await stat(this.#path(name)).catch(() => null)
        if (found) yield { id: name, at: found.mtimeMs }
      }
    }
  }

  #folder(id: string): string {
    return join(this.#dir, id.slice(0, 2))
  }

  #path(id: string): string {
    if (!isFileId(id)) throw new Error(`${JSON.stringify(id)} is not the id of a file`)
    return join(this.#folder(id), id)
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
