/** A crowd over several processes: each has some of the rooms. */
import { type Peer, passwordsFor, type RunningPeer } from '../peers/peer.js'
import { type Cell, usersOf } from './cells.js'
import type { Worker } from './worker.js'

/** Parts of a cell, at most as many as it has rooms. */
export function split(cell: Cell, workers: number): Cell[] {
  const parts = Math.min(workers, cell.rooms)
  return Array.from({ length: parts }, (_, i) => {
    const first = Math.floor((i * cell.rooms) / parts)
    return { ...cell, firstRoom: first, rooms: Math.floor(((i + 1) * cell.rooms) / parts) - first }
  })
}

/** Each worker has its part connected and subscribed. */
export async function assemble(
  peer: Peer,
  broker: RunningPeer,
  workers: readonly Worker[],
  parts: readonly Cell[],
): Promise<void> {
  for (const [i, cell] of parts.entries()) {
    const passwords = await passwordsFor(peer, usersOf(cell))
    await workers[i]!.call('assemble', { port: broker.portOf(cell.transport), cell, passwords })
  }
}
