/** Moves all that one store keeps to another one, which holds nothing: copies it, reads both ends and compares them, and only then lets brokers open it. */
import { StoreError } from '../changes.js'
import {
  bytesOf,
  type Contents,
  KINDS,
  type Kind,
  type Piece,
  type Place,
  placeOf,
  type StoreFacts,
} from './contents.js'
import { differences, type KindSummary, summarize } from './summary.js'

/** How far a move has come: what was written last. */
export interface Reached {
  readonly kind: Kind
  /** The last piece of that kind that is there; null: none. */
  readonly after: Place | null
  /** Pieces written. */
  readonly pieces: number
}

/** An end that is being filled. Until it is released no broker opens it. */
export interface MoveTarget {
  readonly about: string
  /** How far a move of the same source came that was broken off; null: nothing is there. */
  readonly reached: Reached | null
  /** Writes pieces of one kind, and how far it has come with them, in one step. */
  write(pieces: readonly Piece[], reached: Reached): Promise<void>
  /** Everything is written: sets what is not among the pieces. May be called again. */
  complete(facts: StoreFacts): Promise<void>
  /** What is there, read anew. */
  contents(): Contents
  /** It is a store from now on. */
  release(): Promise<void>
  close(): Promise<void>
}

/** What to do about a target that is not complete. */
export const HOW_TO_MOVE =
  'run topictalk migrate again as before, which goes on where it was; with --restart it begins anew'

export interface MoveProgress {
  readonly stage: 'copying' | 'reading the source' | 'reading the target'
  readonly kind: Kind | null
  /** In this stage, by this process. */
  readonly pieces: number
  readonly bytes: number
}

export interface MoveOptions {
  readonly told: (progress: MoveProgress) => void
  readonly signal: AbortSignal
}

/** One write: what one script of Redis may take, and what is held in memory. */
const BATCH_BYTES = 512 * 1024
const BATCH_PIECES = 2048

/** What identifies the state of a source: one that has changed since is another. */
export function sourceName({ epoch, commits }: StoreFacts): string {
  return `${epoch} ${commits}`
}

/**
 * Returns what was moved. The source stays as it is.
 * @throws StoreError if the ends differ: the target is not released then
 */
export async function move(source: Contents, target: MoveTarget, options: MoveOptions): Promise<KindSummary[]> {
  await copy(source, target, options)
  await target.complete(source.facts)
  const expected = await summarize(source, hearing('reading the source', options), options.signal)
  const found = await summarize(target.contents(), hearing('reading the target', options), options.signal)
  await source.assertUnchanged()
  const different = differences(expected, found)
  if (different.length > 0)
    throw new StoreError(
      `what was written is not what was read: ${different.join(', ')} differ. If the source was changed meanwhile, run it again with --restart; the target cannot be used`,
    )
  await target.release()
  return expected
}

function hearing(stage: MoveProgress['stage'], { told }: MoveOptions): (pieces: number, bytes: number) => void {
  let [allPieces, allBytes] = [0, 0]
  return (pieces, bytes) => {
    allPieces += pieces
    allBytes += bytes
    told({ stage, kind: null, pieces: allPieces, bytes: allBytes })
  }
}

async function copy(source: Contents, target: MoveTarget, { told, signal }: MoveOptions): Promise<void> {
  const { kind: first, after, pieces } = target.reached ?? { kind: KINDS[0]!, after: null, pieces: 0 }
  const begun = pieces
  let [written, bytes] = [pieces, 0]
  for (const kind of KINDS.slice(KINDS.indexOf(first))) {
    const place = kind === first ? after : null
    for await (const batch of batchesOf(source.pages(kind, place))) {
      signal.throwIfAborted()
      written += batch.length
      for (const piece of batch) bytes += bytesOf(piece)
      await target.write(batch, { kind, after: placeOf(batch.at(-1)!), pieces: written })
      told({ stage: 'copying', kind, pieces: written - begun, bytes })
    }
  }
}

/** Batches of full size, whatever the size of the pages. */
async function* batchesOf(pages: AsyncIterable<readonly Piece[]>): AsyncGenerator<Piece[]> {
  let batch: Piece[] = []
  let bytes = 0
  for await (const page of pages)
    for (const piece of page) {
      const more = bytesOf(piece)
      if (batch.length > 0 && (bytes + more > BATCH_BYTES || batch.length >= BATCH_PIECES)) {
        yield batch
        batch = []
        bytes = 0
      }
      batch.push(piece)
      bytes += more
    }
  if (batch.length > 0) yield batch
}
