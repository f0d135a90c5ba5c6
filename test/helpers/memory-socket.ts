import type { Socket } from '../../client/base/platform.js'

/** A WebSocket whose other side is the test. As with a real one, events come in later turns. */
export class MemorySocket implements Socket {
  binaryType = 'blob'
  bufferedAmount = 0
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  readonly sent: Uint8Array[] = []
  closed = false

  /** All that was sent. */
  get bytes(): Buffer {
    return Buffer.concat(this.sent)
  }

  send(bytes: Uint8Array): void {
    if (!this.closed) this.sent.push(bytes)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    queueMicrotask(() => this.onclose?.({} as never))
  }

  opens(): void {
    this.onopen?.({} as never)
  }

  /** One frame. */
  receives(data: Uint8Array | string): void {
    const copy = typeof data === 'string' ? data : Uint8Array.from(data).buffer
    if (!this.closed) this.onmessage?.({ data: copy } as never)
  }
}
