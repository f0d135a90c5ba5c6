/** A session that goes from node to node. */
import { Link } from './link.js'

export interface MoveOptions {
  readonly ports: readonly number[]
  readonly user: string
  /** Null: no login. */
  readonly password: string | null
  readonly times: number
}

/** A client connects to one port after the other, while its former connection is still there. Milliseconds until CONNACK, each time. */
export async function moves({ ports, user, password, times }: MoveOptions): Promise<number[]> {
  const taken: number[] = []
  let former: Link | null = null
  for (let turn = 0; turn <= times; turn++) {
    const link: Link = new Link(ports[turn % ports.length]!, 'tcp')
    if (former) former.onLost = () => {}
    const start = performance.now()
    await link.open({ user, password, keep: true })
    if (former) taken.push(performance.now() - start)
    former?.close()
    former = link
  }
  former?.close()
  return taken
}
