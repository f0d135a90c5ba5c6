import { statfs } from 'node:fs/promises'

/** Bytes of the disk below a path that this process may use: file systems reserve blocks for root. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}
