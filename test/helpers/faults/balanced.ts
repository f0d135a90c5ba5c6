/**
 * Nodes behind the load balancer that is shipped. Clients of one node use a balancer with that node alone: with `listen.proxyProtocol` there is no other way
 * to it.
 */
import type { Test } from 'tap'
import { freePort } from '../free-port.js'
import { startHaproxy, statesOf } from '../haproxy.js'
import { until } from '../patience.js'
import type { NodePorts } from '../proxy-process.js'
import type { Place } from './wanderer.js'

/** What a node listens on, of which nobody listens on 8883. */
export interface Listening {
  readonly settings: readonly string[]
  readonly ports: (mqtt: number) => NodePorts
}

export async function behindProxy(): Promise<Listening> {
  const [http, nobody] = [await freePort(), await freePort()]
  return {
    settings: [`listen.http=${http}`, 'listen.proxyProtocol=true', 'node.drain.delay=5s'],
    ports: (mqtt) => ({ 1883: mqtt, 8883: nobody, 8080: http }),
  }
}

export interface Balanced {
  /** Of all nodes. */
  readonly balancer: Place
  /** Of each by itself. */
  readonly doors: readonly number[]
  /** Resolves when new clients are sent to so many nodes. */
  allAreUp(): Promise<void>
}

export async function balance(t: Test, nodes: readonly NodePorts[]): Promise<Balanced> {
  const nobody = await freePort()
  const none: NodePorts = { 1883: nobody, 8883: nobody, 8080: nobody }
  const all = await startHaproxy(
    t,
    [0, 1, 2].map((i) => nodes[i] ?? none),
  )
  const single = await Promise.all(nodes.map((node) => startHaproxy(t, [node, none, none])))
  return {
    balancer: { name: 'balancer', port: all.port('1883') },
    doors: single.map((door) => door.port('1883')),
    allAreUp: () =>
      until('all nodes are up', async () =>
        (await statesOf(all)).slice(0, nodes.length).every((state) => state === 'UP'),
      ),
  }
}
