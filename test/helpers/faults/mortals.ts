/** Clients with wills: some die, some come back before their will is due, some leave, and one at each node only goes with it. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../random.js'
import { Line } from './line.js'
import type { Recorder } from './recorder.js'
import type { Place } from './wanderer.js'

export const MORTAL = 'mo'
/** Ms between two of them. */
const PACE = 300
/** Seconds: longer than a run takes. */
const NEVER = 3600
/** Ms without CONNACK, after which a client tries another node. */
const PATIENCE = 1500

type Fate = 'dies' | 'dies later' | 'returns' | 'leaves'

export class Mortals {
  readonly #recorder: Recorder
  readonly #random: Random
  readonly #nodes: readonly Place[]
  readonly #password: string
  readonly #lines = new Set<Line>()
  #going: Promise<unknown> | null = null
  #isOver = false
  #count = 0

  constructor(recorder: Recorder, random: Random, nodes: readonly Place[], password: string) {
    this.#recorder = recorder
    this.#random = random
    this.#nodes = nodes
    this.#password = password
  }

  start(): void {
    const stay = this.#nodes.map((node) => this.#stay(node))
    this.#going = Promise.all([...stay, this.#liveAndDie()])
  }

  /** Resolves when all have met their fate. */
  async stop(): Promise<void> {
    this.#isOver = true
    for (const line of this.#lines) line.end()
    await this.#going
  }

  async #liveAndDie(): Promise<void> {
    while (!this.#isOver) {
      const fate = this.#random.pick<Fate>(['dies', 'dies later', 'returns', 'leaves'])
      await this.#meet(fate, this.#random.pick(this.#nodes))
      await pause(this.#random.below(2 * PACE))
    }
  }

  async #meet(fate: Fate, node: Place): Promise<void> {
    const name = `mortal-${++this.#count}`
    const delay = fate === 'returns' ? NEVER : fate === 'dies later' ? 1 : 0
    const life = await this.#connect(node, name, { will: name, delay })
    if (!life) return
    if (fate === 'leaves') {
      this.#recorder.add({ type: 'will withdrawn', will: name })
      life.line.send({ cmd: 'disconnect' } as never)
    } else life.line.end()
    if (fate === 'returns') await this.#returnOf(name)
    else if (fate !== 'leaves') this.#recorder.add({ type: 'died', will: name, node: node.name })
  }

  /** Its will is not due for a long time. */
  async #returnOf(name: string): Promise<void> {
    while (!this.#isOver && !(await this.#connect(this.#random.pick(this.#nodes), name, null))) await pause(PACE)
    this.#recorder.add({ type: 'will withdrawn', will: name })
  }

  /** Dies when its node does, or when all is over. */
  async #stay(node: Place): Promise<void> {
    const name = `resident-${node.name}`
    const life = await this.#connect(node, name, { will: name, delay: 0 })
    await life?.closed
    if (life) this.#recorder.add({ type: 'died', will: name, node: node.name })
  }

  /** Resolves at CONNACK; with null when there is none. A will of a client that was not told that it is connected may be published or not. */
  async #connect(node: Place, clientId: string, will: { will: string; delay: number } | null) {
    let accepted = (_is: boolean): void => {}
    const isAccepted = new Promise<boolean>((resolve) => (accepted = resolve))
    let ended = (): void => {}
    const closed = new Promise<void>((resolve) => (ended = resolve))
    const line = new Line(
      node.port,
      (packet) => packet.cmd === 'connack' && accepted(packet.reasonCode === 0),
      () => {
        accepted(false)
        ended()
        this.#lines.delete(line)
      },
    )
    this.#lines.add(line)
    line.send(this.#connectPacket(clientId, will))
    const late = setTimeout(() => line.end(), PATIENCE)
    const is = await isAccepted
    clearTimeout(late)
    if (!is && will) this.#recorder.add({ type: 'will unclear', will: will.will })
    return is ? { line, closed } : null
  }

  #connectPacket(clientId: string, will: { will: string; delay: number } | null) {
    const last = will && {
      topic: `wills/${will.will}`,
      payload: Buffer.from(will.will),
      qos: 2 as const,
      retain: false,
      properties: { willDelayInterval: will.delay },
    }
    return {
      ...{ cmd: 'connect' as const, protocolId: 'MQTT' as const, protocolVersion: 5 as const, clean: false, clientId },
      ...{ keepalive: 0, username: MORTAL, password: Buffer.from(this.#password) },
      properties: { sessionExpiryInterval: NEVER },
      ...(last ? { will: last } : {}),
    }
  }
}
