/** Values of the length field that announce two, or eight, more bytes of length (RFC 6455, 5.2). */
const IN_TWO_BYTES = 126
const IN_EIGHT_BYTES = 127
const FIN = 0x80
const OPCODE = 0x0f
const BINARY = 2
const CONTROL = 8
const MASK = 0x80

/**
 * Rewrites the frames of a WebSocket client on their way to `ws`. `ws` buffers a message until it is complete, but
 * frame boundaries mean nothing to MQTT [MQTT-6.0.0-2], and mqtt.js in a browser puts all it has queued into one frame.
 * Here an incomplete frame becomes several, one for each piece that arrives, and each fragment of a message becomes a
 * message of its own; so a frame may have any length, and no more of it is buffered than of a TCP stream. Everything
 * else passes unchanged, for `ws` to check.
 */
export class FrameSlicer {
  readonly #out: (bytes: Buffer) => void
  /** What has arrived of an incomplete header. */
  #header: Buffer = EMPTY
  /** Bytes of the current payload still to come. */
  #left = 0
  /** The current payload passes unchanged. */
  #verbatim = false
  #first = 0
  #key: Buffer = EMPTY
  /** Bytes of the current payload that have passed. */
  #passed = 0
  /** A fragmented message has begun, and its last fragment has not come yet. */
  #fragmented = false

  constructor(out: (bytes: Buffer) => void) {
    this.#out = out
  }

  push(bytes: Buffer): void {
    const chunk = this.#header.length > 0 ? Buffer.concat([this.#header, bytes]) : bytes
    this.#header = EMPTY
    // Start of what has not been passed on yet.
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

  /** Begins a frame, and rewrites it as one that is not part of a fragmented message. */
  #begin(chunk: Buffer, at: number, payload: number, length: number): void {
    const first = chunk[at]!
    const opcode = first & OPCODE
    this.#verbatim = opcode >= CONTROL || (chunk[at + 1]! & MASK) === 0 || length > Number.MAX_SAFE_INTEGER
    if (this.#verbatim) return
    // A frame that violates the order stays invalid, or is made invalid (a continuation of nothing), so that `ws`
    // refuses it.
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

  /** Sends a piece of a payload as a frame. It stays masked: the key is rotated to the offset of the piece. */
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

/** Length of the header as far as the bytes tell: greater than what is there if they end within it. */
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
