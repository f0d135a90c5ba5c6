/** Contents of files that were blocked, by their hash: who uploads one again is refused. They name nobody. Read on demand. */
import type { Op } from './op.js'

export interface BlockedContent {
  /** SHA-256 of the bytes, base64url. */
  readonly hash: string
  /** Media type by the bytes. */
  readonly mime: string
  readonly size: number
  /** Null: none was given. */
  readonly reason: string | null
  readonly by: 'scanner' | 'admin'
  /** Unix ms. */
  readonly blockedAt: number
}

export interface BlockedContentStore {
  get(hash: string): Promise<BlockedContent | null>
  /** The one that was blocked last comes first. @param after The last one of the page before; null: the first page */
  list(after: Pick<BlockedContent, 'hash' | 'blockedAt'> | null, limit: number): Promise<BlockedContent[]>
  /** Nothing, if it is there. @param most Beyond so many the oldest goes; 0: none is kept */
  addOps(content: BlockedContent, most: number): Promise<Op[]>
  removeOps(content: BlockedContent): Promise<Op[]>
}
