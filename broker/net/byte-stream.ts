import type { X509Certificate } from 'node:crypto'
import type { EventEmitter } from 'node:events'

/**
 * All that a connection asks of its transport. A net.Socket, a TLSSocket and any Duplex are one as they are; the WebSocket adapter
 * makes one. Events: `data` (Buffer), `drain`, `end`, `close`, `error`.
 */
export interface ByteStream extends EventEmitter {
  /** False when more than the high-water mark waits; `drain` follows. */
  write(chunk: Uint8Array): boolean
  /** Bytes accepted by `write` and not yet handed to the kernel. */
  readonly writableLength: number
  /** Bytes of the write under way that the kernel has not taken; where it cannot tell, `queuedIn` can. */
  readonly queued?: number
  readonly destroyed: boolean
  readonly remoteAddress?: string | undefined
  /** Of the client, where one was asked for and is good. */
  readonly certificate?: X509Certificate | undefined
  pause(): unknown
  resume(): unknown
  /** Sends what is queued, then closes. */
  end(): unknown
  /** Closes at once. */
  destroy(error?: Error): unknown
}

/** Where every listener hands its connections. */
export type Accept = (stream: ByteStream, request?: unknown) => void

/** Of a socket of Node: a long write moves long before it is done, and `writableLength` tells only that it is. Node's own timeouts look at it too. */
export function queuedIn(socket: object): number {
  return (socket as { _handle?: { writeQueueSize?: number } | null })._handle?.writeQueueSize ?? 0
}
