import { setTimeout as pause } from 'node:timers/promises'
import type { CloseReason } from './close-reason.js'
import type { Connection } from './connection.js'

/** Milliseconds a client has to acknowledge what it was sent. What it has not acknowledged by then is sent again where it reconnects. */
const SETTLE = 1000

/**
 * Ends a connection with as little as possible to repeat: nothing more is sent, and the client may acknowledge what is in flight; then nothing more is
 * read, and what was read is stored and acknowledged.
 */
export async function leave(connection: Connection, reason: CloseReason): Promise<void> {
  const { client, connected, packets } = connection
  if (client && connected) {
    const over = new AbortController()
    await Promise.race([client.session.settle(), pause(SETTLE, undefined, over).catch(() => {})])
    over.abort()
    await packets.hold()
  }
  await connection.finish(reason)
}
