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

/** Each worker has its part connected and subscribed. @param nodes More than one: the members of a room are spread over them */
export async function assemble(
  peer: Peer,
  nodes: readonly RunningPeer[],
  workers: readonly Worker[],
  parts: readonly Cell[],
): Promise<void> {
  for (const [i, cell] of parts.entries()) {
    const ports = nodes.map((node) => node.portOf(cell.transport))
    const passwords = await passwordsFor(peer, usersOf(cell))
    await workers[i]!.call('assemble', { ports, cell, passwords })
  }
}
