/** An Aedes as its documentation starts it, with its persistence and its emitter over Redis, in a process that a test may kill. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { IConnectPacket } from 'mqtt-packet'
import type { Test } from 'tap'
import { endWithUs } from './end-with-us.js'
import { freePort } from './free-port.js'
import { take } from './protocol.js'
import { RawClient } from './raw-client.js'

const PROGRAM = fileURLToPath(new URL('../../bench/peers/aedes.js', import.meta.url))
/** Ms between attempts to connect while it starts. */
const KNOCK_EVERY = 50

export class StockAedes {
  readonly port: number
  readonly #process: ChildProcess

  /** Killed with the test. */
  static async start(t: Test, redisUrl: string): Promise<StockAedes> {
    const [port, wsPort] = [await freePort(), await freePort()]
    const child = spawn(process.execPath, [PROGRAM, String(port), String(wsPort), redisUrl], { stdio: 'inherit' })
    child.once('spawn', () => endWithUs(child))
    const aedes = new StockAedes(port, child)
    t.teardown(() => aedes.kill9())
    while (!(await aedes.#isThere())) await delay(KNOCK_EVERY)
    return aedes
  }

  private constructor(port: number, child: ChildProcess) {
    this.port = port
    this.#process = child
  }

  #isThere(): Promise<boolean> {
    const socket = net.connect(this.port, '127.0.0.1')
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    }).finally(() => socket.destroy()) as Promise<boolean>
  }

  /** A client without credentials, whose session stays. */
  async client(id: string, more: Partial<IConnectPacket> = {}): Promise<RawClient> {
    const client = new RawClient(null as never, 4, net.connect(this.port, '127.0.0.1'))
    client.send(anonymousConnect(id, more))
    const { returnCode } = await take(client, 'connack')
    if (returnCode !== 0) throw new Error(`CONNACK said ${returnCode}`)
    return client
  }

  async kill9(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }
}

export function anonymousConnect(clientId: string, more: Partial<IConnectPacket> = {}): IConnectPacket {
  return { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: false, clientId, keepalive: 0, ...more }
}
