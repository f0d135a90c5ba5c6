import { type ByteStream, queuedIn } from '../net/byte-stream.js'

/** Bytes that may wait in a socket: what can still be delivered after a right ended. */
export const MAX_UNSENT = 65536
/** Buffers above this size are handed to the socket as they are; smaller ones are gathered into one write. */
const GATHER_BELOW = 32768

/** Collects the buffers written to in this turn of the event loop, and flushes each once at its end. */
export class Flusher {
  #waiting: WriteBuffer[] = []
  #scheduled = false
  /** Socket writes so far. */
  writes = 0

  add(output: WriteBuffer): void {
    this.#waiting.push(output)
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#scheduled = false
    for (const output of waiting) output.flush()
  }
}

/**
 * What one connection is about to send. Everything within one turn of the event loop becomes one socket write.
 * Hot path: no promise, no closure.
 */
export class WriteBuffer {
  readonly #stream: ByteStream
  readonly #flusher: Flusher
  readonly #flushed: () => void
  /** Often there is only one chunk, and then no array. */
  #first: Uint8Array | null = null
  #more: Uint8Array[] | null = null
  #bytes = 0
  #pushed = 0
  #queued = false

  /** `flushed` is called after each write, when the socket may take more. */
  constructor(stream: ByteStream, flusher: Flusher, flushed: () => void) {
    this.#stream = stream
    this.#flusher = flusher
    this.#flushed = flushed
  }

  /** Bytes not yet handed to the kernel. */
  get unsent(): number {
    return this.#bytes + this.#stream.writableLength
  }

  /** Bytes the kernel has taken so far: a change shows that the client reads. */
  get position(): number {
    const { writableLength, queued = queuedIn(this.#stream) } = this.#stream
    return this.#pushed - this.#bytes - writableLength - queued
  }

  get congested(): boolean {
    return this.#bytes + this.#stream.writableLength >= MAX_UNSENT
  }

  push(bytes: Uint8Array): void {
    if (this.#first === null) this.#first = bytes
    else if (this.#more === null) this.#more = [bytes]
    else this.#more.push(bytes)
    this.#bytes += bytes.length
    this.#pushed += bytes.length
    if (this.#queued) return
    this.#queued = true
    this.#flusher.add(this)
  }

  flush(): void {
    this.#queued = false
    const first = this.#first
    const more = this.#more
    const bytes = this.#bytes
    if (first === null) return
    this.#first = this.#more = null
    this.#bytes = 0
    if (this.#stream.destroyed) return
    if (more === null) this.#write(first)
    else if (bytes / (1 + more.length) < GATHER_BELOW) this.#write(gather(first, more, bytes))
    else for (const chunk of [first, ...more]) this.#write(chunk)
    this.#flushed()
  }

  #write(chunk: Uint8Array): void {
    this.#flusher.writes++
    this.#stream.write(chunk)
  }
}

function gather(first: Uint8Array, more: readonly Uint8Array[], bytes: number): Uint8Array {
  const all = Buffer.allocUnsafe(bytes)
  all.set(first)
  let at = first.length
  for (const chunk of more) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}
