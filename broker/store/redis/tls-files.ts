/** The certificates of connections to Redis. */
import { readFile } from 'node:fs/promises'
import { StoreError } from '../changes.js'

/** Paths of PEM files, read for each connection, so that they can be renewed. */
export interface RedisTls {
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  /** The name in the server's certificate, if it is not the host. */
  readonly serverName: string | null
}

export type TlsFiles = Partial<Record<(typeof FILES)[number], Buffer>>
const FILES = ['ca', 'cert', 'key'] as const

/** @throws StoreError that names the key of the configuration. */
export async function readTlsFiles(tls: RedisTls): Promise<TlsFiles> {
  const files: TlsFiles = {}
  for (const name of FILES) if (tls[name] !== null) files[name] = await readPem(name, tls[name])
  return files
}

async function readPem(name: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new StoreError(`store.redis.tls.${name}: cannot be read: ${(cause as Error).message}`, { cause })
  }
}
