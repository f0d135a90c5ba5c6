/** The graceful part of a stop: balancers are told, other nodes take the jobs over, then clients leave, spread over a while, so that they do not all log in elsewhere at once. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Config } from '../../schemas/config.js'
import type { Streams } from '../http/streams.js'
import type { Broker } from '../mqtt/aedes.js'
import type { CloseReason } from '../mqtt/close-reason.js'
import { Reason } from '../mqtt/codec/reason-codes.js'
import { ConnectRefused } from '../mqtt/connect-refused.js'
import { leave } from '../mqtt/connection-leave.js'
import type { Listener } from '../net/listener.js'
import type { Jobs } from '../store/jobs.js'
import { spread } from '../util/spread.js'

type Settings = Config['node']['drain']

export interface DrainDeps {
  readonly settings: Settings
  readonly broker: Broker
  readonly streams: Streams
  readonly jobs: Pick<Jobs, 'leave'>
  /** Called when clients begin to leave, each of which has something to save. */
  readonly hurryStore: () => void
}

export class Drain {
  readonly #settings: Settings
  readonly #broker: Broker
  readonly #streams: Streams
  readonly #jobs: Pick<Jobs, 'leave'>
  readonly #hurryStore: () => void
  readonly #listeners: Pick<Listener, 'stop'>[] = []
  /** No new clients should come. */
  isBegun = false

  constructor({ settings, broker, streams, jobs, hurryStore }: DrainDeps) {
    this.#settings = settings
    this.#broker = broker
    this.#streams = streams
    this.#jobs = jobs
    this.#hurryStore = hurryStore
  }

  /** Accepts until the delay is over. */
  add(listener: Pick<Listener, 'stop'>): void {
    this.#listeners.push(listener)
  }

  /** Resolves when its jobs are handed over and every client is gone, or with `hurry`: then closing the broker ends those that are left. */
  async run(hurry: AbortSignal = new AbortController().signal): Promise<void> {
    this.isBegun = true
    if (!hurry.aborted) await Promise.race([Promise.all([this.#jobs.leave(), this.#run(hurry)]), once(hurry, 'abort')])
  }

  async #run(hurry: AbortSignal): Promise<void> {
    const wait = (ms: number): Promise<void> => pause(ms, undefined, { signal: hurry })
    try {
      if (this.#settings.delay > 0) await wait(this.#settings.delay * 1000)
      this.#closeDoors()
      this.#hurryStore()
      await spread(this.#leavings(), this.#settings.spread * 1000, wait)
    } catch (error) {
      if (!hurry.aborted) throw error
    }
  }

  /**
   * The listeners; and what still comes, as on the server of an application, is turned away. A refusal would keep some clients away for good: MQTT.js reconnects after a
   * loss, but by default not after any CONNACK with an error.
   */
  #closeDoors(): void {
    for (const listener of this.#listeners) listener.stop()
    const { reason, why, ...reference } = closeReason(this.#settings, Reason.serverUnavailable)
    this.#broker.closedTo = new ConnectRefused(3, reason, why, { ...reference, isSilent: true })
  }

  #leavings(): (() => Promise<void>)[] {
    const reason = closeReason(this.#settings, Reason.serverShuttingDown)
    const connections = [...this.#broker.connections].map((connection) => () => leave(connection, reason))
    const streams = this.#streams.all().map((stream) => async () => stream.end('broker stopping'))
    return [...connections, ...streams]
  }
}

/**
 * "Use another server", which is for the time being, where one is configured. "Server moved" would make clients forget this one, which comes back
 * [MQTT5-4.11].
 */
function closeReason({ serverReference }: Settings, otherwise: number): CloseReason & { leaving: true } {
  if (serverReference === null) return { reason: otherwise, why: 'the broker is shutting down', leaving: true }
  return { reason: Reason.useAnotherServer, why: `use ${serverReference}`, serverReference, leaving: true }
}
