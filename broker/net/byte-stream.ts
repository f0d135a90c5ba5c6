import type { X509Certificate } from 'node:crypto'
import type { EventEmitter } from 'node:events'

/**
 * What a connection needs of its transport. A net.Socket, a TLSSocket and any Duplex satisfy it; WebSockets have an
 * adapter. Events: `data` (Buffer), `drain`, `end`, `close`, `error`.
 */
export interface ByteStream extends EventEmitter {
  /** Returns false when more than the high-water mark is buffered; `drain` follows. */
  write(chunk: Uint8Array): boolean
  /** Bytes accepted by `write` and not yet handed to the kernel. */
  readonly writableLength: number
  /**
   * Bytes of the pending write that the kernel has not taken. Absent where the stream cannot tell; then see `queuedIn`.
   */
  readonly queued?: number
  readonly destroyed: boolean
  readonly remoteAddress?: string | undefined
  /** The client's certificate, if one was requested and verified. */
  readonly certificate?: X509Certificate | undefined
  pause(): unknown
  resume(): unknown
  /** Sends what is buffered, then closes. */
  end(): unknown
  /** As `end`, and says that the server leaves. Absent where the transport has no word for it. */
  goAway?(): unknown
  /** Closes at once. */
  destroy(error?: Error): unknown
}

/** Every listener hands its connections to one of these. */
export type Accept = (stream: ByteStream, request?: unknown) => void

/**
 * Bytes of a Node socket's pending write that the kernel has not taken: a long write progresses long before it
 * completes, and `writableLength` changes only on completion. Node's own socket timeouts read the same property.
 */
export function queuedIn(socket: object): number {
  return (socket as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0
}
