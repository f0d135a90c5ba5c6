/** A bystander's pings, while others make a room, fill it, write to it and leave it. */
import http from 'node:http'
import type { HistogramData } from '../histogram.js'
import { topicOf } from './cells.js'
import { pause } from './crowd.js'
import { publishAcknowledged } from './herd.js'
import { Link } from './link.js'
import { Pinging } from './pinging.js'
import { type Caller, call } from './requests.js'

export interface MembershipOptions {
  readonly port: number
  readonly httpPort: number
  /** The first one makes the room. */
  readonly people: readonly Caller[]
  /** Another user. */
  readonly bystander: Caller
  readonly messages: number
}

export interface Phase {
  readonly phase: string
  readonly seconds: number
  readonly pings: HistogramData
}

/** Requests under way at a time. */
const LINES = 16
const ROOM = 0

export async function* phases({
  port,
  httpPort,
  people,
  bystander,
  messages,
}: MembershipOptions): AsyncGenerator<Phase> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: LINES })
  const pinging = await Pinging.start(port, bystander)
  const room = topicOf(ROOM).split('/')[1]!
  const ask = async (person: Caller, path: string, params = {}): Promise<void> => {
    const { status } = await call(agent, httpPort, { verb: 'POST', path }, params, person.password)
    if (status >= 300) throw new Error(`POST ${path} was answered with ${status}`)
  }
  const all = async (path: string): Promise<void> => {
    let next = 1
    const line = async (): Promise<void> => {
      while (next < people.length) await ask(people[next++]!, path)
    }
    await Promise.all(Array.from({ length: LINES }, line))
  }
  const [owner] = people as [Caller]
  const writer = new Link(port, 'tcp')
  await writer.open(owner)
  const steps: [string, () => Promise<void>][] = [
    ['nothing', () => pause(1000)],
    ['create', () => ask(owner, '/v1/rooms', { room, access: 'public' })],
    ['join', () => all(`/v1/rooms/${room}/join`)],
    ['write', () => publishAcknowledged(writer, topicOf(ROOM), messages)],
    ['leave', () => all(`/v1/rooms/${room}/leave`)],
  ]
  for (const [phase, step] of steps) {
    pinging.clear()
    const start = performance.now()
    await step()
    const seconds = (performance.now() - start) / 1000
    await pinging.settle()
    yield { phase, seconds, pings: pinging.latencies.toData() }
  }
  writer.close()
  await pinging.stop()
  agent.destroy()
}
