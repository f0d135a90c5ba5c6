/** Bytes of files in a directory, beside the rows that name them. */
import { randomUUID } from 'node:crypto'
import { openAsBlob } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** What a row has of a `Blob`. */
export interface StoredBlob {
  /** Of its file. */
  readonly name: string
  readonly type: string
}

export class BlobDirectory {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** `sync`: resolves when they survive a crash of the machine. */
  async put(blob: Blob, sync: boolean): Promise<StoredBlob> {
    const name = randomUUID()
    await mkdir(this.#path, { recursive: true, mode: 0o700 })
    const file = await open(join(this.#path, name), 'wx', 0o600)
    await closing(file, async () => {
      for await (const bytes of blob.stream()) await file.writeFile(bytes)
      if (sync) await file.sync()
    })
    if (sync) {
      const directory = await open(this.#path)
      await closing(directory, () => directory.sync())
    }
    return { name, type: blob.type }
  }

  get({ name, type }: StoredBlob): Promise<Blob> {
    return openAsBlob(join(this.#path, name), { type })
  }

  /** Removes the files that no row names. */
  async keepOnly(rows: readonly StoredBlob[]): Promise<void> {
    const kept = new Set(rows.map(({ name }) => name))
    const names = await readdir(this.#path).catch(() => [])
    await Promise.all(
      names.filter((name) => !kept.has(name)).map((name) => rm(join(this.#path, name), { force: true })),
    )
  }
}

async function closing(file: FileHandle, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } finally {
    await file.close()
  }
}
