/** Where finished files are kept: the port beside its adapters. While a file is made and looked at, it is on the disk of the node (blobs.ts). */
import type { Readable } from 'node:stream'

/** What is kept of a file: its bytes, and its small image. */
export type KeptKind = 'whole' | 'thumbnail'

export interface Kept {
  readonly id: string
  readonly kind: KeptKind
  /** Unix ms: when it was written last. */
  readonly at: number
}

/** Each rejects with a `Refusal` `unavailable` when the storage cannot be reached. */
export interface FileStorage {
  /** Keeps what the disk has of a file; durable when it resolves. @param hash SHA-256 of the whole file, base64url */
  keep(id: string, kinds: readonly KeptKind[], hash: string): Promise<void>
  /** Bytes; 0: there are none. */
  size(id: string, kind: KeptKind): Promise<number>
  /** A part of the bytes, `start` to `end` included. The stream closes what it opened. */
  read(id: string, kind: KeptKind, start: number, end: number): Promise<Readable>
  /** Resolves with a path at which the disk of the node has the whole file, until `release`. */
  fetch(id: string): Promise<string>
  /** The disk of the node need not have it any more. */
  release(id: string): Promise<void>
  /** Removes all of it, on the disk of the node, too. */
  remove(id: string): Promise<void>
  /** What is there of one folder of `FOLDERS`. */
  inFolder(folder: number): AsyncIterable<Kept>
  /** Removes one of what `inFolder` found. */
  drop(kept: Kept): Promise<void>
  /** Whether a finished file may be on the disk of the node. */
  readonly isOnDisk: boolean
}
