/** Files are kept where they are made: in the directory. */
import type { Readable } from 'node:stream'
import type { Blobs } from './blobs.js'
import type { FileStorage, Kept, KeptKind } from './file-storage.js'

export class DirectoryStorage implements FileStorage {
  readonly isOnDisk = true
  readonly #blobs: Blobs

  constructor(blobs: Blobs) {
    this.#blobs = blobs
  }

  keep(id: string, kinds: readonly KeptKind[]): Promise<void> {
    return this.#blobs.sync(id, ...kinds)
  }

  size(id: string, kind: KeptKind): Promise<number> {
    return this.#blobs.size(id, kind)
  }

  read(id: string, kind: KeptKind, start: number, end: number): Promise<Readable> {
    return this.#blobs.read(id, kind, start, end)
  }

  async fetch(id: string): Promise<string> {
    return this.#blobs.path(id, 'whole')
  }

  async release(): Promise<void> {}

  remove(id: string): Promise<void> {
    return this.#blobs.remove(id)
  }

  /** The sweep of the directory finds them. */
  async *inFolder(): AsyncGenerator<Kept> {}

  drop({ id, kind }: Kept): Promise<void> {
    return this.#blobs.remove(id, [kind])
  }
}
