/**
 * The webhooks of a run, and the server that they post to: now and then it is slow, or fails. The history has each request, by which process it was
 * sent, and its answer.
 */
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { eventsOf } from '../../models/history/events.js'
import type { BrokerProcess } from '../broker-process.js'
import type { Random } from '../random.js'
import { type Received, Receiver } from '../receiver.js'
import { ownerOfPort } from '../socket-owner.js'
import { LOGS } from './load.js'
import type { Recorder } from './recorder.js'
import { RIVAL_ROOMS } from './rivals.js'

const SECRET = `whsec_${'x'.repeat(32)}`
/** By these names the first two nodes have one each at the begin. */
const HOOKS = [
  { id: 'crm', events: ['message.*'], direct: true, logs: LOGS },
  { id: 'ledger', events: ['room.*', 'member.*'], rooms: RIVAL_ROOMS, logs: RIVAL_ROOMS.map(eventsOf) },
]
/** Ms, at most. */
const SLOW = 50

interface Process {
  readonly name: string
  readonly broker: Pick<BrokerProcess, 'pid'>
}

export class Hooks {
  /** To be set when they have started. */
  nodes: readonly Process[] = []
  readonly settings: readonly string[]
  readonly #recorder: Recorder
  readonly #random: Random
  readonly #senders = new WeakMap<Socket, Promise<string | null>>()
  readonly #requests = new Map<Received, number>()
  #count = 0

  static async start(t: Test, recorder: Recorder, random: Random): Promise<Hooks> {
    const receiver = await Receiver.start(t)
    const hooks = new Hooks(receiver.url, recorder, random)
    receiver.answer = (received) => hooks.#take(received)
    receiver.answered = (received, status) => hooks.#answered(received, status)
    for (const { id: webhook, logs } of HOOKS) recorder.add({ type: 'webhook', webhook, logs })
    return hooks
  }

  private constructor(url: string, recorder: Recorder, random: Random) {
    this.#recorder = recorder
    this.#random = random
    const records = HOOKS.map(({ logs, ...hook }) => ({ ...hook, url: `${url}/${hook.id}`, secret: SECRET }))
    this.settings = [
      `webhooks=${JSON.stringify(records)}`,
      'webhookDelivery.backoff=0.05s',
      'webhookDelivery.maxBackoff=0.5s',
      // Nothing is given up.
      'webhookDelivery.attempts=100',
    ]
  }

  async #take(received: Received): Promise<{ status: number }> {
    const by = await this.#senderOf(received.socket)
    const { json, headers, path } = received
    const { type, data } = json
    const isMessage = type.startsWith('message.')
    const request = ++this.#count
    this.#requests.set(received, request)
    this.#recorder.add({
      type: 'posted',
      request,
      webhook: path.slice(path.lastIndexOf('/') + 1),
      by,
      log: isMessage ? data.room : eventsOf(data.room),
      entry: { seq: data.seq, id: String(headers['webhook-id']) },
      message: isMessage ? data.cid : `${data.type} ${data.user ?? ''}`,
    })
    if (this.#random.chance(0.1)) await new Promise((resolve) => setTimeout(resolve, this.#random.below(SLOW)))
    return { status: this.#random.chance(0.1) ? 503 : 200 }
  }

  #answered(received: Received, status: number): void {
    this.#recorder.add({ type: 'answered', request: this.#requests.get(received)!, status })
    this.#requests.delete(received)
  }

  /** A connection is of one process all the time. */
  #senderOf(socket: Socket): Promise<string | null> {
    const known = this.#senders.get(socket)
    if (known) return known
    const sender = this.#processOf(socket.remotePort!)
    this.#senders.set(socket, sender)
    return sender
  }

  async #processOf(port: number): Promise<string | null> {
    const names = new Map(this.nodes.flatMap(({ name, broker: { pid } }) => (pid === null ? [] : [[pid, name]])))
    const pid = await ownerOfPort(port, [...names.keys()])
    return pid === null ? null : `${names.get(pid)} ${pid}`
  }
}
