/**
 * The bytes of files, in a directory: each under its id, in a folder by the beginning of the id. An upload is collected in a part beside it, and
 * becomes the file only when it is whole and looked at. Nobody else names a file here.
 */
import { createHash } from 'node:crypto'
import type { ReadStream } from 'node:fs'
import { constants, copyFile, type FileHandle, link, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isFileId } from '../../../schemas/files.js'

/** Bytes per read. */
const PIECE = 65_536

/** Files are in a folder by as many digits of their id. */
const FOLDER_DIGITS = 2
export const FOLDERS = 16 ** FOLDER_DIGITS

/** What the ids in a folder begin with. @param folder A number below `FOLDERS` */
export function folderName(folder: number): string {
  return folder.toString(16).padStart(FOLDER_DIGITS, '0')
}

/** What there is of a file: what was uploaded so far; the file; the small image of it. */
export type BlobKind = 'part' | 'whole' | 'thumbnail'

const SUFFIXES: Readonly<Record<BlobKind, string>> = { part: '.part', whole: '', thumbnail: '.thumbnail' }

export class Blobs {
  readonly #dir: string
  readonly #shared: boolean

  /** @param dir An existing directory. @param shared Other nodes write to it, too */
  constructor(dir: string, shared: boolean) {
    this.#dir = dir
    this.#shared = shared
  }

  /** Bytes that are there; 0: none. */
  async size(id: string, kind: BlobKind): Promise<number> {
    try {
      return (await stat(this.path(id, kind))).size
    } catch (error) {
      if (isMissing(error)) return 0
      throw error
    }
  }

  /**
   * Writes what the source yields to the part behind `offset`, at most up to `end`. Resolves with the new offset: what was written is durable then, also
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
    const path = this.path(id, 'part')
    try {
      return await open(path, constants.O_WRONLY)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    const folder = this.#folder(id)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600)
    // The names are durable too, so that what was acknowledged is found after a crash of the machine.
    for (const directory of [folder, this.#dir]) await syncPath(directory)
    return file
  }

  /** The first bytes of the part, at most `length`. */
  async head(id: string, length: number): Promise<Buffer> {
    const file = await open(this.path(id, 'part'))
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  }

  /** The part is the file. It keeps its own name too, until `removePart`. */
  async adopt(id: string): Promise<void> {
    await rm(this.path(id, 'whole'), { force: true })
    const [from, to] = [this.path(id, 'part'), this.path(id, 'whole')]
    // Another node may still write to a part that it has open.
    if (this.#shared) await copyFile(from, to, constants.COPYFILE_FICLONE)
    else await link(from, to)
  }

  /** Makes durable what others have written in the place of a file, and its name. */
  async sync(id: string, ...kinds: BlobKind[]): Promise<void> {
    for (const kind of kinds) await syncPath(this.path(id, kind))
    await syncPath(this.#folder(id))
  }

  /** Reads all of the file. Resolves with its SHA-256, base64url. */
  async hash(id: string): Promise<string> {
    const hash = createHash('sha256')
    const file = await open(this.path(id, 'whole'))
    for await (const piece of file.createReadStream({ highWaterMark: PIECE }) as AsyncIterable<Buffer>)
      hash.update(piece)
    return hash.digest('base64url')
  }

  /** A part of the bytes, `start` to `end` included. The stream closes what it opened. */
  async read(id: string, kind: BlobKind, start: number, end: number): Promise<ReadStream> {
    const file = await open(this.path(id, kind))
    return file.createReadStream({ start, end, highWaterMark: PIECE })
  }

  async remove(id: string, kinds: readonly BlobKind[] = ['part', 'whole', 'thumbnail']): Promise<void> {
    for (const kind of kinds) await rm(this.path(id, kind), { force: true })
  }

  /**
   * What is in a folder, with the time it was written last (Unix ms). Other files are passed over.
   * @param folder A number below `FOLDERS`
   */
  async *inFolder(folder: number): AsyncGenerator<{ id: string; kind: BlobKind; at: number }> {
    const path = join(this.#dir, folderName(folder))
    for (const name of await namesIn(path)) {
      const blob = readName(name)
      const found = blob && (await stat(this.path(blob.id, blob.kind)).catch(() => null))
      if (found) yield { ...blob, at: found.mtimeMs }
    }
  }

  #folder(id: string): string {
    return join(this.#dir, id.slice(0, FOLDER_DIGITS))
  }

  path(id: string, kind: BlobKind): string {
    if (!isFileId(id)) throw new Error(`${JSON.stringify(id)} is not the id of a file`)
    return join(this.#folder(id), id + SUFFIXES[kind])
  }
}

/** Null: it is none of ours. */
function readName(name: string): { id: string; kind: BlobKind } | null {
  const [id = '', ...rest] = name.split('.')
  const suffix = rest.length === 0 ? '' : `.${rest.join('.')}`
  const kind = (Object.keys(SUFFIXES) as BlobKind[]).find((one) => SUFFIXES[one] === suffix)
  return kind !== undefined && isFileId(id) ? { id, kind } : null
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
