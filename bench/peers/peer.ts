/** A broker under load, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mintToken } from '../../broker/auth/tokens.js'
import type { Caller } from '../load/requests.js'
import type { Transport } from '../load/wire.js'
import { familyOf } from '../measure.js'

export interface PeerContext {
  /** For MQTT over TCP; free, on 127.0.0.1. */
  readonly port: number
  /** For WebSocket, and HTTP where the broker has it; free too. */
  readonly wsPort: number
  /** An empty folder. */
  readonly dir: string
  /** URL of a Redis server to store in; undefined: the broker stores as it does by itself. */
  readonly redis?: string
}

/** How to start a broker. */
export interface Peer {
  readonly name: string
  /** Null where it is not installed. */
  command(context: PeerContext): Promise<PeerCommand | null>
  /** Its users log in with tokens signed with this; null: with any password, or none. */
  readonly secret: string | null
  /** The password of everyone where there is no secret; null: nobody logs in. */
  readonly password: string | null
}

export interface PeerCommand {
  readonly file: string
  /** The name it is called by; undefined: its own. */
  readonly argv0?: string
  readonly args: readonly string[]
  /** The ports it accepts connections on; undefined: both of the context. */
  readonly ports?: readonly number[]
  readonly env?: Record<string, string>
}

export class RunningPeer {
  readonly port: number
  readonly wsPort: number
  readonly #command: PeerCommand
  readonly #context: PeerContext
  #process: ChildProcess

  private constructor(command: PeerCommand, context: PeerContext, child: ChildProcess) {
    this.port = context.port
    this.wsPort = context.wsPort
    this.#command = command
    this.#context = context
    this.#process = child
  }

  /** Its folder. */
  get dir(): string {
    return this.#context.dir
  }

  portOf(transport: Transport): number {
    return transport === 'tcp' ? this.port : this.wsPort
  }

  /** Resolves when it accepts connections. */
  static async start(command: PeerCommand, context: PeerContext): Promise<RunningPeer> {
    return new RunningPeer(command, context, await spawned(command, context))
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const gone = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await gone
  }

  /** Kills it and starts it anew on what it had, as after a crash. Resolves with the seconds it was away. */
  async crash(): Promise<number> {
    const start = performance.now()
    await this.kill()
    this.#process = await spawned(this.#command, this.#context)
    return (performance.now() - start) / 1000
  }

  get pid(): number {
    return this.#process.pid!
  }

  /** Resolves when it has ended, in its own way: a profile is written then. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    // A script does not end what it has started.
    const family = familyOf(this.pid)
    const endAll = (signal: 'SIGTERM' | 'SIGKILL'): void => {
      for (const pid of family) end(pid, signal)
    }
    endAll('SIGTERM')
    const hard = setTimeout(() => endAll('SIGKILL'), STOP_MS)
    await gone
    clearTimeout(hard)
  }
}

/** Unless it has ended. */
function end(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has.
  }
}

async function spawned(command: PeerCommand, context: PeerContext): Promise<ChildProcess> {
  const child = spawn(command.file, command.args, {
    ...(command.argv0 && { argv0: command.argv0 }),
    cwd: context.dir,
    env: { PATH: process.env['PATH'], ...command.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${command.file} ended before it could be reached`)
  })
  // Ends with the process, which is expected later.
  ended.catch(() => {})
  const knocking = new AbortController()
  const late = setTimeout(() => knocking.abort(new Error(`${command.file} cannot be reached`)), START_MS)
  try {
    for (const port of command.ports ?? [context.port, context.wsPort])
      await Promise.race([ended, reachable(port, knocking.signal)])
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(late)
    knocking.abort()
  }
  return child
}

const RETRY_MS = 20
/** How long a broker may take to accept connections, and to end. */
const START_MS = 60_000
const STOP_MS = 10_000

/** @throws the reason of the signal */
async function reachable(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const socket = net.connect(port, '127.0.0.1')
    const connected = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (connected) return
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The password of each user, or null where nobody logs in. */
export async function passwordsFor(peer: Peer, users: readonly string[]): Promise<Record<string, string> | null> {
  const { secret, password } = peer
  if (secret !== null) {
    const key = Buffer.from(secret)
    return Object.fromEntries(await Promise.all(users.map(async (user) => [user, await mintToken(key, user)])))
  }
  return password === null ? null : Object.fromEntries(users.map((user) => [user, password]))
}

/** Users of a broker where everyone logs in, with their passwords. */
export async function callersOf(peer: Peer, users: readonly string[]): Promise<Caller[]> {
  const passwords = (await passwordsFor(peer, users))!
  return users.map((user) => ({ user, password: passwords[user]! }))
}

/** A broker of this kind for the time of `use`; null where it is not installed. @param redis As of PeerContext */
export async function withBroker<T>(
  peer: Pick<Peer, 'command'>,
  use: (broker: RunningPeer) => Promise<T>,
  redis?: string,
): Promise<T | null> {
  const dir = await mkdtemp(join(tmpdir(), 'topictalk-bench-'))
  try {
    const context = { port: await freePort(), wsPort: await freePort(), dir, ...(redis && { redis }) }
    const command = await peer.command(context)
    if (!command) return null
    const broker = await RunningPeer.start(command, context)
    try {
      return await use(broker)
    } finally {
      await broker.stop()
    }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
