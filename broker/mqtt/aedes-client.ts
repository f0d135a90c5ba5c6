/** What Aedes and its plugins see of a connection: the client of Aedes' documentation (docs/Client.md there). */

import { EventEmitter } from 'node:events'
import { READ_BYTES, READ_ENTRIES } from '../following/feeds.js'
import { unlogged } from '../hub.js'
import type { ByteStream } from '../net/byte-stream.js'
import { commit } from '../store/commit.js'
import type { QoS } from '../store/qos.js'
import { dequeueOp } from '../store/queue-ops.js'
import type { BrokerPort } from './broker-port.js'
import type { RequestedSubscription, Version } from './codec/packets.js'
import type { ConnectedClient } from './connected-client.js'
import { subscribe, unsubscribe } from './subscribe.js'

type AedesSubscription = { topic: string; qos: QoS }
type AedesSubscriptions =
  | AedesSubscription
  | AedesSubscription[]
  | { subscriptions: AedesSubscription[]; messageId?: number }

type Done = (error?: Error) => void

export abstract class AedesClient extends EventEmitter {
  /** `{user}/{clientId}`; empty before the login. */
  id = ''
  clean = true
  version: Version | null = null
  readonly broker: BrokerPort
  readonly conn: ByteStream
  readonly req: unknown
  #duplicates: Record<string, number> | null = null

  abstract readonly connecting: boolean
  abstract readonly connected: boolean
  abstract readonly closed: boolean
  /** Null: it is not logged in yet. */
  protected abstract readonly client: ConnectedClient | null

  constructor(broker: BrokerPort, stream: ByteStream, request: unknown) {
    super()
    this.broker = broker
    this.conn = stream
    this.req = request
  }

  /** Listeners are code of plugins: what they throw is not ours. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (this.listenerCount(event) === 0) return super.emit(event, ...args)
    return this.broker.emitFor(this, event, args)
  }

  /** aedes.js writes to it when another broker starts. */
  get duplicates(): Record<string, number> {
    this.#duplicates ??= Object.create(null) as Record<string, number>
    return this.#duplicates
  }

  get subscriptions(): Record<string, RequestedSubscription> {
    return Object.fromEntries(this.client?.session.subscriptions ?? [])
  }

  /** Sends a message to this client alone. */
  publish(message: { topic: string; payload?: Buffer | string; qos?: QoS; retain?: boolean }, done?: Done): void {
    const payload = Buffer.from(message.payload ?? '')
    const qos = message.qos ?? 0
    this.client?.session.acceptUnlogged(unlogged(message.topic, payload, qos, { retain: message.retain ?? false }), qos)
    if (done) setImmediate(done, this.client ? undefined : new Error('not connected'))
  }

  /** Subscribes on behalf of the client, with its rights; with a `messageId` the client gets a SUBACK. */
  subscribe(subscriptions: AedesSubscriptions, done?: Done): void {
    const list = 'subscriptions' in subscriptions ? subscriptions.subscriptions : [subscriptions].flat()
    const requested = list.map(({ topic, qos }) => ({
      filter: topic,
      qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
    }))
    const packetId = ('messageId' in subscriptions && subscriptions.messageId) || 0
    settle(
      this.#asClient((client) =>
        subscribe(client, { type: 'subscribe', packetId, subscriptions: requested, properties: {} }),
      ),
      done,
    )
  }

  unsubscribe(filters: string | string[] | { unsubscriptions: string[] }, done?: Done): void {
    const list =
      typeof filters === 'object' && 'unsubscriptions' in filters ? filters.unsubscriptions : [filters].flat()
    settle(
      this.#asClient((client) =>
        unsubscribe(client, { type: 'unsubscribe', packetId: 0, filters: list, properties: {} }),
      ),
      done,
    )
  }

  /** Deletes the queued messages on plain topics of this client. */
  emptyOutgoingQueue(done?: Done): void {
    settle(this.#asClient(emptyQueue), done)
  }

  /** Rejects before the login. */
  async #asClient(work: (client: ConnectedClient) => Promise<void>): Promise<void> {
    if (!this.client) throw new Error('not connected')
    await work(this.client)
  }
}

async function emptyQueue({ id, writer, services: { store } }: ConnectedClient): Promise<void> {
  for (let after = 0; ; ) {
    const page = await store.queue.read(id, after, READ_ENTRIES, READ_BYTES)
    if (page.length === 0) return
    await commit(writer, { ops: page.map(({ number }) => dequeueOp(id, number)) })
    after = page[page.length - 1]!.number
  }
}

function settle(work: Promise<void>, done?: Done): void {
  work.then(
    () => done?.(),
    (error: Error) => done?.(error),
  )
}
