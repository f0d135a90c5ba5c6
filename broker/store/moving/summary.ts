/**
 * What a store holds, in numbers by which two stores can be compared: of each kind how many pieces, their bytes, and a checksum. Checksums are sums of the
 * digests of all pieces, so that the order in which an adapter reads them does not count, and the same piece twice is not the same as none.
 */
import { createHash } from 'node:crypto'
import { bytesOf, type Contents, KINDS, type Kind, type Piece } from './contents.js'

export interface KindSummary {
  readonly kind: Kind
  readonly count: number
  readonly bytes: number
  /** Hex. */
  readonly checksum: string
}

/** Told after each page. */
export type Heard = (pieces: number, bytes: number) => void

/** Digits of one part of a checksum in bits, and the parts. */
const LANE = 2 ** 48
const LANE_BYTES = 6
const LANES = 3

/** Reads everything. Kinds of which there is nothing are left out. */
export async function summarize(contents: Contents, heard: Heard, signal: AbortSignal): Promise<KindSummary[]> {
  const summaries: KindSummary[] = []
  for (const kind of KINDS) {
    const sum = new Sum()
    for await (const page of contents.pages(kind, null)) {
      signal.throwIfAborted()
      const before = sum.bytes
      for (const piece of page) sum.add(piece)
      heard(page.length, sum.bytes - before)
    }
    if (sum.count > 0) summaries.push({ kind, count: sum.count, bytes: sum.bytes, checksum: sum.text })
  }
  return summaries
}

class Sum {
  count = 0
  bytes = 0
  readonly #lanes = new Array<number>(LANES).fill(0)

  add(piece: Piece): void {
    this.count++
    this.bytes += bytesOf(piece)
    const digest = digestOf(piece)
    for (let i = 0; i < LANES; i++)
      this.#lanes[i] = (this.#lanes[i]! + digest.readUIntBE(i * LANE_BYTES, LANE_BYTES)) % LANE
  }

  get text(): string {
    return this.#lanes.map((lane) => lane.toString(16).padStart(2 * LANE_BYTES, '0')).join('')
  }
}

function digestOf(piece: Piece): Buffer {
  const [facts, ...values] = partsOf(piece)
  const hash = createHash('sha256').update(JSON.stringify([piece.kind, facts, values.map(({ length }) => length)]))
  for (const value of values) hash.update(value)
  return hash.digest()
}

/** What counts of a piece: facts, and bytes. */
function partsOf(piece: Piece): [facts: unknown, ...values: Buffer[]] {
  switch (piece.kind) {
    case 'log': {
      const { name, head, tail, incarnation, former, grownIn, spokenIn } = piece.log
      return [[name, head, tail, incarnation, former, grownIn, spokenIn]]
    }
    case 'entry': {
      const { log, entry } = piece
      const { seq, ts, qos, from, origin, extra, isChange = false, gone = null, payload } = entry
      const facts = [log.name, seq, ts, qos, from, origin, isChange, gone, extra ? extra.expiresAt : null]
      return extra ? [facts, payload, extra.properties] : [facts, payload]
    }
    case 'note':
      return [[piece.log.name, piece.letter, piece.target, piece.name], piece.value]
    case 'cid': {
      const { name, hash, incarnation, seq, ts, id } = piece
      return [[name.bucket, incarnation, seq, ts, id], name.field, hash]
    }
    case 'packet':
      return [piece.number, piece.packet]
    case 'reference':
      return [[piece.session, piece.number, piece.qos, piece.bytes]]
    case 'retained':
      return [piece.topic, piece.packet]
    case 'mark':
      return [[piece.log, piece.seq]]
    default:
      return [piece.key, piece.value]
  }
}

/** Kinds in which two stores differ. */
export function differences(a: readonly KindSummary[], b: readonly KindSummary[]): Kind[] {
  const text = (list: readonly KindSummary[], kind: Kind): string =>
    JSON.stringify(list.find((one) => one.kind === kind) ?? null)
  return KINDS.filter((kind) => text(a, kind) !== text(b, kind))
}
