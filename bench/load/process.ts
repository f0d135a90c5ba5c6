/** The load, as a process of its own that does what it is asked for. */

import type { HistogramData } from '../histogram.js'
import { Crowd, type CrowdOptions, type PaceOptions } from './crowd.js'
import { type EnqueueOptions, enqueue, Herd, type HerdOptions, publishAcknowledged } from './herd.js'
import { Link } from './link.js'
import { type MembershipOptions, type Phase, phases } from './membership.js'
import { type MoveOptions, moves } from './moves.js'
import { Pinging } from './pinging.js'
import { type RequestOptions, request } from './requests.js'
import type { Login } from './wire.js'

export interface LoadSample {
  readonly deliveries: number
  readonly published: number
  /** Seconds of CPU of this process. */
  readonly cpu: number
}

export interface FillOptions {
  readonly port: number
  readonly user: string
  readonly password: string | null
  readonly topic: string
  readonly messages: number
}

let crowd: Crowd | null = null
const herd = new Herd()
let pinging: Pinging | null = null

const calls = {
  async assemble(options: CrowdOptions): Promise<void> {
    crowd = await Crowd.assemble(options)
  },
  async loop(): Promise<void> {
    crowd!.loop()
  },
  pace: (options: PaceOptions) => crowd!.pace(options),
  async freeze(count: number): Promise<void> {
    crowd!.freeze(count)
  },
  async sample(): Promise<LoadSample> {
    const { user, system } = process.cpuUsage()
    return { ...(crowd?.totals ?? { deliveries: 0, published: 0 }), cpu: (user + system) / 1e6 }
  },
  connect: (options: HerdOptions) => herd.connect(options),
  subscribe: (options: { perRoom: number }) => herd.subscribe(options),
  drain: (options: { count: number }) => herd.drain(options),
  async received(): Promise<number> {
    return herd.received
  },
  async leave(): Promise<void> {
    herd.leave()
  },
  /** That the broker goes away is expected from now on. */
  async expectLoss(): Promise<void> {
    herd.expectLoss()
  },
  async startPinging(port: number, bystander: Login): Promise<void> {
    pinging = await Pinging.start(port, bystander)
  },
  async stopPinging(): Promise<HistogramData> {
    await pinging!.stop()
    return pinging!.latencies.toData()
  },
  enqueue: (options: EnqueueOptions) => enqueue(options),
  request: (options: RequestOptions) => request(options),
  /** Seconds until all messages were acknowledged. */
  async fill({ port, user, password, topic, messages }: FillOptions): Promise<number> {
    const link = new Link(port, 'tcp')
    await link.open({ user, password })
    const start = performance.now()
    await publishAcknowledged(link, topic, messages)
    link.close()
    return (performance.now() - start) / 1000
  },
  /** Milliseconds in which a session moves to the next of the ports, each time. */
  moves: (options: MoveOptions) => moves(options),
  async membership(options: MembershipOptions): Promise<Phase[]> {
    const done: Phase[] = []
    for await (const phase of phases(options)) done.push(phase)
    return done
  },
}

export type Calls = typeof calls

export type Answer = { readonly result: unknown } | { readonly error: string }

process.on('message', async ({ name, args }: { name: keyof Calls; args: unknown[] }) => {
  let answer: Answer
  try {
    answer = { result: await (calls[name] as (...args: unknown[]) => Promise<unknown>)(...args) }
  } catch (error) {
    answer = { error: String(error instanceof Error ? error.stack : error) }
  }
  process.send!(answer)
})
process.on('disconnect', () => process.exit(0))
