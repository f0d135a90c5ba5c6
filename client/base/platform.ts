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

/** The platform's own `AbortSignal` where its types are known, so that it can be handed to `fetch`. */
export type PlatformSignal = typeof globalThis extends { AbortSignal: { prototype: infer S } } ? S : Signal

/** The part of a `Blob` that is used. */
export interface LocalBlob {
  /** Bytes. */
  readonly size: number
  /** Media type. */
  readonly type: string
  slice(start: number, end: number): LocalBlob
  arrayBuffer(): Promise<ArrayBuffer>
}

/** The platform's own `Blob` where its types are known. */
export type PlatformBlob = typeof globalThis extends { Blob: { prototype: infer B } } ? B : LocalBlob

/** Stops a timer, or a listener; a second call does nothing. */
export type Stop = () => void

/** Calls `act` when `signal` is aborted, at once if it is already. */
export function onAbort(signal: Signal, act: () => void): Stop {
  if (signal.aborted) act()
  else signal.addEventListener('abort', act)
  return () => signal.removeEventListener('abort', act)
}

export interface Clock {
  /** Unix ms. */
  now(): number
  /** Calls `act` once, after `ms`. */
  timer(ms: number, act: () => void): Stop
}

/** What the SDK is told by the platform, and what a test decides instead. */
export interface Env extends Clock {
  /** At random, 0 ≤ x < 1. */
  random(): number
  /**
   * Calls `listener` when a connection may have become possible, or may have been lost without a word: the device says that it is online, the
   * page is visible again, the application is in the foreground. A hint may be wrong.
   */
  hints(listener: () => void): Stop
}

/** The part of a WebSocket that is used. Browsers, React Native, Node from 22 on and the package `ws` have it. Others send and get the bytes of MQTT likewise. */
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
