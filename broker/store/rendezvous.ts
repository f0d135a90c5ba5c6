/** Rendezvous hashing: whoever knows the same nodes chooses the same one for a name; a node that comes or goes moves only what it gets, or had. */
import { createHash } from 'node:crypto'

/** Undefined: there are no nodes. */
export function rendezvous(name: string, nodes: Iterable<number>): number | undefined {
  let best: number | undefined
  let highest = -1
  for (const node of nodes) {
    const weight = createHash('sha256').update(`${node} ${name}`).digest().readUIntBE(0, 6)
    if (weight <= highest) continue
    highest = weight
    best = node
  }
  return best
}
