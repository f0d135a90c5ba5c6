/** A broker under load, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { mintToken } from '../../broker/auth/tokens.js'

export interface PeerContext {
  /** Free, on 127.0.0.1. */
  readonly port: number
  /** An empty folder. */
  readonly dir: string
}

/** How to start a broker. */
export interface Peer {
  readonly name: string
  /** Null where it is not installed. */
  command(context: PeerContext): Promise<PeerCommand | null>
  /** Its users log in with tokens signed with this; null: anyone may. */
  readonly secret: string | null
}

export interface PeerCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Record<string, string>
}

export class RunningPeer {
  readonly port: number
  readonly #process: ChildProcess

  private constructor(port: number, child: ChildProcess) {
    this.port = port
    this.#process = child
  }

  /** Resolves when it accepts connections. */
  static async start(command: PeerCommand, { port, dir }: PeerContext): Promise<RunningPeer> {
    const child = spawn(command.file, command.args, {
      cwd: dir,
      env: { PATH: process.env['PATH'], ...command.env },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${command.file} ended before it could be reached`)
    })
    // Ends with the process, which is expected later.
    ended.catch(() => {})
    await Promise.race([ended, reachable(port)])
    return new RunningPeer(port, child)
  }

  get pid(): number {
    return this.#process.pid!
  }

  /** Resolves when it has ended, in its own way: a profile is written then. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = once(this.#process, 'exit')
    this.#process.kill()
    await gone
  }
}

const RETRY_MS = 20

async function reachable(port: number): Promise<void> {
  for (;;) {
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
  if (peer.secret === null) return null
  const secret = Buffer.from(peer.secret)
  return Object.fromEntries(await Promise.all(users.map(async (user) => [user, await mintToken(secret, user)])))
}
