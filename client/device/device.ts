import { topics } from '../../schemas/topics.js'
import { ChatError } from '../base/chat-error.js'
import type { Live } from '../base/live.js'
import type { Env, Stop } from '../base/platform.js'
import { mustLast, Scope } from '../base/scope.js'
import { Connection } from '../connection/connection.js'
import type { Credentials } from '../connection/credentials.js'
import type { Status } from '../connection/status.js'
import { addressOf, socketTo, type TlsOptions } from '../node/sockets.js'
import { timer } from '../requests/timer.js'
import { REFUSED } from '../requests/wire-calls.js'
import { mqttOverSocket } from '../wire/mqtt/mqtt-wire.js'
import { textOf } from '../wire/utf8.js'
import { type Command, type CommandHandler, Commands } from './commands.js'
import { type BufferOptions, DeviceOutgoing, type Waiting } from './outgoing.js'

export interface DeviceOptions {
  /** Of the broker: `mqtt://host`, `mqtts://host`, `https://host`, `wss://host/mqtt`. */
  readonly url: string
  /** Such as `{ token: key }`, with the key that `devices.register` answers. */
  readonly auth: Credentials
  readonly tls?: TlsOptions
  /** Of what waits while there is no connection. */
  readonly buffer?: BufferOptions
}

const NODE: Env = { now: () => Date.now(), random: () => Math.random(), timer, hints: () => () => {} }

/** Levels of a topic without wildcards. */
const NAME = /^[^+#/\0]+(\/[^+#/\0]+)*$/

/**
 * Connects the device, and keeps it connected until `close()`. It returns at once: what the device says meanwhile waits.
 * @throws ChatError `bad_request`: an option is not valid
 */
export function connectDevice(options: DeviceOptions): Device {
  return new Device(options)
}

export class Device {
  readonly #connection: Connection
  readonly #scope = new Scope()
  readonly #outgoing: DeviceOutgoing
  readonly #commands: Commands

  constructor({ url, auth, tls, buffer }: DeviceOptions) {
    const address = addressOf(url)
    this.#outgoing = new DeviceOutgoing(buffer)
    this.#commands = new Commands(this.#scope.signal, (receipt) => this.#outgoing.addReceipt('receipts', receipt))
    this.#connection = new Connection({
      open: mqttOverSocket({ socket: () => socketTo(address, tls), clock: NODE }),
      credentials: auth,
      device: 'device',
      env: NODE,
      // All that this connection subscribes to is commands.
      message: ({ payload }) => this.#commands.take(JSON.parse(textOf(payload)!) as Command),
      sync: async (wire, { signal }) => {
        const device = wire.properties.responseInformation?.split('/')[1]
        if (device === undefined) throw new ChatError('forbidden', 'the broker does not say who is logged in')
        const topicOf = (place: string): string => topics.device(device, place)
        const [reason = REFUSED] = await wire.subscribe([{ filter: topicOf('commands'), qos: 1 }], signal)
        if (reason >= REFUSED) throw new ChatError('forbidden', `${device} is no device: devices.register makes one`)
        mustLast(signal)
        this.#outgoing.begin(wire, topicOf, signal)
      },
    })
    this.#connection.connect().catch(() => {})
  }

  get status(): Live<Status> {
    return this.#connection.status
  }

  /** What the broker does not have yet, and what it will never have. */
  get waiting(): Live<Waiting> {
    return this.#outgoing.waiting
  }

  /**
   * Tells a measured value, on `devices/{device}/telemetry/{name}`: `{"value":…,"ts":…}`, with the time of this call in Unix ms. Without a
   * connection it waits, in the order of calls; after a lost one it may arrive twice.
   * @param name One level of a topic, or several: `temperature`, `motor/speed`
   * @param value Any JSON
   * @throws ChatError `bad_request`: the name cannot be in a topic, or the value is no JSON
   */
  telemetry(name: string, value: unknown): void {
    if (!NAME.test(name))
      throw new ChatError('bad_request', `${JSON.stringify(name)} cannot be in a topic`, { field: 'name' })
    if (value === undefined) throw new ChatError('bad_request', 'undefined is no JSON', { field: 'value' })
    this.#outgoing.addTelemetry(`telemetry/${name}`, { value, ts: NODE.now() })
  }

  /**
   * What the device is like now, on `devices/{device}/state`: retained, so that whoever looks later is told at once. While it waits, a later
   * one takes its place.
   * @throws ChatError `bad_request`: it is no JSON
   */
  state(state: object): void {
    this.#outgoing.setState('state', state)
  }

  /**
   * Handles commands of that name, one after the other. To be called before anything is awaited: a command without a handler fails. Returns a
   * function that ends it.
   * @throws ChatError `conflict`: the name has a handler already
   */
  onCommand(name: string, handler: CommandHandler): Stop {
    return this.#commands.handle(name, handler)
  }

  /** Resolves when nothing waits. Rejects with a `ChatError` `closed` when the device is closed before that. */
  async flush(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      const look = ({ messages }: Waiting): void => {
        if (messages > 0) return
        stop()
        resolve()
      }
      const stop = this.waiting.subscribe(look)
      look(this.waiting.current)
    })
    await this.#scope.race(done)
  }

  /** Resolves when nothing of the connection is left. What waits is lost: `flush()` first. */
  async close(): Promise<void> {
    this.#scope.end(new ChatError('closed', 'the device was closed'))
    await this.#connection.close()
  }
}
