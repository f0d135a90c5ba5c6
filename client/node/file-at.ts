import { openAsBlob } from 'node:fs'
import { access, constants } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import type { LocalFile } from '../index.js'

/** Media types by which clients know what to show; the broker looks at the bytes. */
const TYPES: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.flac': 'audio/flac',
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.m4a': 'audio/mp4',
  '.mkv': 'video/x-matroska',
  '.mov': 'video/quicktime',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.txt': 'text/plain',
  '.wav': 'audio/wav',
  '.webm': 'video/webm',
  '.webp': 'image/webp',
}

/**
 * A file of this machine, to be attached to a message. Its bytes are read when they are kept in a directory, so that it must not change until `stored`;
 * else when they are sent. Rejects with an error of the system if it cannot be read.
 */
export async function fileAt(path: string, more: Omit<LocalFile, 'bytes'> = {}): Promise<LocalFile> {
  await access(path, constants.R_OK)
  const { name = basename(path), type = TYPES[extname(path).toLowerCase()] ?? '' } = more
  return { ...more, bytes: await openAsBlob(path, { type }), name, type }
}
