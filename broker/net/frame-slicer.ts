/** Payload length at which a WebSocket header says it in two, or eight, further bytes (RFC 6455, 5.2). */
const IN_TWO_BYTES = 126
const IN_EIGHT_BYTES = 127
const FIN = 0x80
const OPCODE = 0x0f
const BINARY = 2
const CONTROL = 8
const MASK = 0x80

/**
 * What a WebSocket client sends, on its way to `ws`. `ws` gives out a message when all of it is there, and holds it until then; MQTT does
 * not look at where frames begin and end [MQTT-6.0.0-2], and mqtt.js in a browser puts all it has queued into one. Here a frame that is
 * not whole yet becomes several, one for each piece that arrives, and each fragment of a message a message of its own: so a frame may be of
 * any length, and no more of it waits than of a TCP stream. All else passes as it is, for `ws` to check.
 */
export class FrameSlicer {
  readonly #out: (bytes: Buffer) => void
  /** What arrived of a header that is not whole. */
  #header: Buffer = EMPTY
  /** Bytes of the payload under way that are to come. */
  #left = 0
  /** They pass as they are. */
  #verbatim = false
  #first = 0
  #key: Buffer = EMPTY
  /** Bytes of the payload that have passed. */
  #passed = 0
  /** A message is under way whose last fragment is to come. */
  #fragmented = false

  constructor(out: (bytes: Buffer) => void) {
    this.#out = out
  }

  push(bytes: Buffer): void {
    const chunk = this.#header.length > 0 ? Buffer.concat([this.#header, bytes]) : bytes
    this.#header = EMPTY
    // From there on nothing has been passed on.
    let from = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const end = Math.min(chunk.length, at + this.#left)
        this.#left -= end - at
        if (!this.#verbatim) {
          this.#slice(chunk.subarray(at, end))
          from = end
        }
        at = end
        continue
      }
      const payload = at + headerLength(chunk, at)
      if (payload > chunk.length) {
        this.#pass(chunk, from, at)
        this.#header = Buffer.from(chunk.subarray(at))
        return
      }
      const length = payloadLength(chunk, at)
      this.#begin(chunk, at, payload, length)
      if (this.#verbatim || payload + length <= chunk.length) {
        at = Math.min(chunk.length, payload + length)
        this.#left = payload + length - at
      } else {
        this.#pass(chunk, from, at)
        from = at = payload
        this.#left = length
      }
    }
    this.#pass(chunk, from, at)
  }

  /** Takes note of a frame, and makes it one that is not part of another. */
  #begin(chunk: Buffer, at: number, payload: number, length: number): void {
    const first = chunk[at]!
    const opcode = first & OPCODE
    this.#verbatim = opcode >= CONTROL || (chunk[at + 1]! & MASK) === 0 || length > Number.MAX_SAFE_INTEGER
    if (this.#verbatim) return
    // What is out of place is left so, or put out of place: a continuation of nothing.
    const fits = (opcode === 0) === this.#fragmented
    const shown = fits ? opcode || BINARY : 0
    this.#fragmented = (first & FIN) === 0
    this.#first = (first & ~OPCODE) | FIN | shown
    chunk[at] = this.#first
    this.#key = chunk.subarray(payload - 4, payload)
    this.#passed = 0
  }

  #pass(chunk: Buffer, from: number, to: number): void {
    if (to > from) this.#out(chunk.subarray(from, to))
  }

  /** A piece of a payload, as a frame. It stays masked: the key is turned to where it begins. */
  #slice(piece: Buffer): void {
    const { length } = piece
    const extra = length < IN_TWO_BYTES ? 0 : length < 65536 ? 2 : 8
    const header = Buffer.allocUnsafe(6 + extra)
    header[0] = this.#first
    header[1] = MASK | (extra === 0 ? length : extra === 2 ? IN_TWO_BYTES : IN_EIGHT_BYTES)
    if (extra === 2) header.writeUInt16BE(length, 2)
    else if (extra === 8) header.writeBigUInt64BE(BigInt(length), 2)
    for (let i = 0; i < 4; i++) header[2 + extra + i] = this.#key[(this.#passed + i) % 4]!
    this.#passed += length
    this.#out(header)
    this.#out(piece)
  }
}

const EMPTY = Buffer.alloc(0)

/** As far as the bytes tell: more than there are where they end within it. */
function headerLength(chunk: Buffer, at: number): number {
  if (at + 2 > chunk.length) return 2
  const length = chunk[at + 1]! & ~MASK
  const extra = length === IN_EIGHT_BYTES ? 8 : length === IN_TWO_BYTES ? 2 : 0
  return 2 + extra + (chunk[at + 1]! & MASK ? 4 : 0)
}

function payloadLength(chunk: Buffer, at: number): number {
  const length = chunk[at + 1]! & ~MASK
  if (length === IN_EIGHT_BYTES) return Number(chunk.readBigUInt64BE(at + 2))
  return length === IN_TWO_BYTES ? chunk.readUInt16BE(at + 2) : length
}
