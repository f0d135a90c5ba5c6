/**
 * The local control socket, by which a command finds the broker that has the data directory open. One JSON object per
 * line: `{"command","params"}` in, `{"ok":true,"result"}` or `{"ok":false,"error":{code,message,field?}}` out. Access
 * to the socket grants every command, so it is in the data directory, for its owner only.
 */
import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, realpathSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { asRefusal, ERRORS, type ErrorBody, Refusal } from '../../schemas/errors.js'
import { makeDirectory } from '../util/make-directory.js'

export type AdminCommands = Readonly<Record<string, (params: unknown) => Promise<unknown>>>

export interface AdminServer {
  /** Lets running commands finish, then removes the socket. */
  close(): Promise<void>
}

/** Longest request line in characters; replies may be longer, as lists are. */
const MAX_REQUEST = 64 * 1024
const MAX_REPLY = 64 * 1024 * 1024
/** Timeout of a command in ms. */
const CALL_TIMEOUT = 30_000
/** Longest path of a Unix socket in bytes that all systems allow (sun_path is 104 on macOS, 108 on Linux). */
const MAX_SOCKET_PATH = 100

/** Serves commands for `dataDir`. Rejects if another process already does. `onBug` is called with unexpected errors. */
export async function serveAdmin(
  dataDir: string,
  commands: AdminCommands,
  onBug: (error: unknown) => void = () => {},
): Promise<AdminServer> {
  const connections = new Set<AdminConnection>()
  const server = net.createServer((socket) => {
    const connection = new AdminConnection(socket, commands, onBug)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  await listenAlone(server, adminPath(dataDir), dataDir)
  return {
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()))
      for (const connection of connections) connection.finish()
      await closed
    },
  }
}

/** Runs `command` in the broker that has `dataDir` open; throws the `Refusal` it answers with. */
export async function callAdmin(
  dataDir: string,
  command: string,
  params: unknown = {},
): Promise<unknown | 'not_running'> {
  const socket = await connect(adminPath(dataDir))
  if (socket === null) return 'not_running'
  socket.setTimeout(CALL_TIMEOUT, () => socket.destroy(new Error('no answer')))
  try {
    socket.write(`${JSON.stringify({ command, params })}\n`)
    for await (const line of readLines(socket, MAX_REPLY)) return readReply(line)
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('unavailable', 'the broker did not answer on its control socket', { cause: error })
  } finally {
    socket.destroy()
  }
  throw new Refusal('unavailable', 'the broker stopped before it answered')
}

/** Runs the commands of one client one after the other, until it disconnects. */
class AdminConnection {
  readonly #socket: net.Socket
  #busy = false
  #finishing = false

  constructor(socket: net.Socket, commands: AdminCommands, onBug: (error: unknown) => void) {
    this.#socket = socket
    // A client that disconnects needs no answer.
    socket.on('error', () => {})
    this.#serve(commands, onBug).catch(() => socket.destroy())
  }

  /** Closes after answering the running command. */
  finish(): void {
    this.#finishing = true
    if (!this.#busy) this.#socket.destroy()
  }

  async #serve(commands: AdminCommands, onBug: (error: unknown) => void): Promise<void> {
    try {
      for await (const line of readLines(this.#socket, MAX_REQUEST)) {
        this.#busy = true
        this.#socket.write(await answer(line, commands, onBug))
        this.#busy = false
        if (this.#finishing) break
      }
      this.#socket.end()
    } catch (error) {
      if (error instanceof Refusal) this.#socket.end(refusalLine(error))
      else throw error
    }
    // Unread input would keep the connection open.
    this.#socket.destroySoon()
  }
}

async function answer(line: string, commands: AdminCommands, onBug: (error: unknown) => void): Promise<string> {
  try {
    const { command, params } = readRequest(line)
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined
    if (!run) throw new Refusal('not_implemented', `this broker knows no command ${command}; is it an older version?`)
    const result = await run(params)
    return `${JSON.stringify({ ok: true, result: result ?? null })}\n`
  } catch (error) {
    if (!(error instanceof Refusal)) onBug(error)
    return refusalLine(asRefusal(error))
  }
}

function readRequest(line: string): { command: string; params: unknown } {
  try {
    const { command, params = {} } = JSON.parse(line) as { command: unknown; params: unknown }
    if (typeof command === 'string') return { command, params }
  } catch {}
  throw new Refusal('bad_request', 'expected a line with {"command","params"}')
}

function readReply(line: string): unknown {
  const reply = JSON.parse(line) as { ok: true; result: unknown } | { ok: false; error: ErrorBody }
  if (reply.ok) return reply.result
  const { code, message, field, retryAfter } = reply.error
  throw new Refusal(code in ERRORS ? code : 'internal', message, { field, retryAfter })
}

function refusalLine(refusal: Refusal): string {
  return `${JSON.stringify({ ok: false, error: refusal.body() })}\n`
}

async function* readLines(socket: net.Socket, maxLength: number): AsyncGenerator<string> {
  let parts: string[] = []
  let length = 0
  socket.setEncoding('utf8')
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    const lines = chunk.split('\n')
    const rest = lines.pop()!
    for (const end of lines) {
      if (length + end.length > maxLength) throw tooLong(maxLength)
      yield parts.join('') + end
      ;[parts, length] = [[], 0]
    }
    parts.push(rest)
    length += rest.length
    if (length > maxLength) throw tooLong(maxLength)
  }
}

function tooLong(maxLength: number): Refusal {
  return new Refusal('too_large', `a line may have at most ${maxLength} characters`)
}

/** Binds `path`, replacing the socket of a killed broker, but never one that answers. */
async function listenAlone(server: net.Server, path: string, dataDir: string): Promise<void> {
  try {
    await listen(server, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    const other = await connect(path)
    if (other !== null) {
      other.destroy()
      throw new Refusal('conflict', `node.dataDir: another broker has ${dataDir} open`, { cause: error })
    }
    rmSync(path, { force: true })
    await listen(server, path)
  }
}

function listen(server: net.Server, path: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail)
    // Binding happens within the call, so the socket never exists with wider permissions.
    const mask = process.platform === 'win32' ? null : process.umask(0o177)
    server.listen({ path }, () => {
      server.off('error', fail)
      server.on('error', () => {})
      done()
    })
    if (mask !== null) process.umask(mask)
  })
}

/** Null: nobody listens there. */
function connect(path: string): Promise<net.Socket | null> {
  return new Promise((done, fail) => {
    const socket = net.connect({ path })
    const refused = (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return done(null)
      if (error.code === 'EACCES')
        return fail(new Refusal('forbidden', `the broker runs as another user; its control socket is ${path}`))
      fail(error)
    }
    socket.once('error', refused)
    socket.once('connect', () => {
      socket.off('error', refused)
      socket.on('error', () => {})
      done(socket)
    })
  })
}

/** `admin.sock` in the data directory; if that path is too long, a socket in a private temporary directory. */
function adminPath(dataDir: string): string {
  const name = createHash('sha256').update(canonical(dataDir)).digest('hex').slice(0, 32)
  if (process.platform === 'win32') return `\\\\.\\pipe\\topictalk-${name}`
  const path = join(canonical(dataDir), 'admin.sock')
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path
  return join(privateDirectory(), `${name}.sock`)
}

/** The same text for the same directory, however it is written. */
function canonical(dataDir: string): string {
  try {
    return realpathSync(dataDir)
  } catch {
    return resolve(dataDir)
  }
}

function privateDirectory(): string {
  const { uid } = userInfo()
  const path = join(tmpdir(), `topictalk-${uid}`)
  makeDirectory(path)
  const found = lstatSync(path)
  if (!found.isDirectory() || found.uid !== uid)
    throw new Refusal('forbidden', `${path} belongs to someone else; set node.dataDir to a shorter path`)
  chmodSync(path, 0o700)
  return path
}
