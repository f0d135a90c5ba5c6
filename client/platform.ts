/**
 * What the SDK needs of the platform it runs on. The core is compiled without the types of browsers and of Node: what both have is described
 * here, as far as it is used.
 */

/** Bytes in memory of their own, as sockets take them. */
export type Bytes = Uint8Array<ArrayBuffer>

/** An `AbortSignal`. */
export interface Signal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** Stops a timer, or a listener; a second call does nothing. */
export type Stop = () => void

export interface Clock {
  /** Unix ms. */
  now(): number
  /** Calls `act` once, after `ms`. */
  timer(ms: number, act: () => void): Stop
}

/** The part of a WebSocket that is used. Browsers, React Native, Node from 22 on and the package `ws` have it. */
export interface Socket {
  binaryType: string
  /** Bytes that were handed over and not yet sent. */
  readonly bufferedAmount: number
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(bytes: Bytes): void
  close(): void
  /** Of `ws`: ends the connection without waiting for the other side. */
  terminate?(): void
}
