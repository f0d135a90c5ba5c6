/** One connection to one Redis server, until it ends; then it is not used again. The only file that knows the client library. */
import { isIP } from 'node:net'
import type { ConnectionOptions as TlsSettings } from 'node:tls'
import { Command, Redis, type RedisOptions } from 'ioredis'
import { StoreError } from '../changes.js'
import { type Host, hostText, type Login } from './address.js'
import { readFacts, type ServerFacts } from './server-facts.js'
import { type RedisTls, readTlsFiles } from './tls-files.js'

export interface Script {
  /** SHA-1 of the text, in hex. */
  readonly sha: string
  readonly text: string
}

/**
 * Called with the reply while bytes are read, in the order in which the server sent replies and messages of channels. A promise settles only
 * after all that has arrived with the reply. What it throws is a reply that cannot be read: it ends the connection.
 */
export type Heard = (reply: unknown) => void

export interface Connection {
  readonly server: ServerFacts
  /** Where it leads. */
  readonly host: Host
  /** Which server it leads to. */
  readonly about: string
  /** Only connections that have not ended take commands. */
  readonly ended: boolean
  /** Of a Cluster: messages are published with SPUBLISH. */
  readonly isCluster: boolean
  /**
   * Sends a command; texts of a reply are buffers, which may be parts of a larger one. Commands run in the order of the calls. Rejects when
   * the connection has ended, and when there is no reply within `timeoutMs`: it may then still run, and the connection is closed too.
   */
  call(command: string, args: readonly (string | Buffer | number)[], heard?: Heard): Promise<unknown>
  /** EVALSHA. The text is sent where the server may not have it: first, and when it has lost it; in that case others may overtake it. */
  script(script: Script, keys: readonly string[], args: readonly (string | Buffer)[], heard?: Heard): Promise<unknown>
  /** Resolves once messages are sent to us. What a listener throws is a message that cannot be read: it ends the connection. */
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>
  /** Ends it at once: what is pending rejects. */
  close(why?: string): void
}

export interface Opening {
  readonly login: Login
  readonly database: number
  /** Null: no TLS. */
  readonly tls: RedisTls | null
  readonly timeoutMs: number
  /** CLIENT SETNAME. */
  readonly name: string
  /** Ends the attempt, and the connection. */
  readonly signal: AbortSignal
}

/** After these the server is not the one to write to, or not yet. */
const ELSEWHERE = /^(READONLY|MOVED|CLUSTERDOWN|LOADING|MASTERDOWN)\b|^Stream isn't writeable/

const STOPPED = 'the connection to Redis is not needed any more'
/** What the library says of bytes that are no reply. */
const NO_REPLY = /^(.*)\. Please report this\.$/

export class RedisConnection implements Connection {
  readonly host: Host
  server: ServerFacts
  /** Called once, when it has ended. `fault`: what the server sent cannot be read; somebody should know. */
  onEnd: ((fault: StoreError | null) => void) | null = null
  readonly #redis: Redis
  readonly #timeoutMs: number
  readonly #listeners = new Map<string, (message: Buffer) => void>()
  readonly #sent = new Set<string>()
  readonly #signal: AbortSignal
  readonly #abort = (): void => this.close(STOPPED)
  /** Why it has ended; null: it has not. */
  #why: string | null = null

  /** @throws StoreError with one line that says what is wrong, without secrets. */
  static async open(host: Host, opening: Opening): Promise<RedisConnection> {
    const tls = opening.tls && { ...(await readTlsFiles(opening.tls)), servername: serverName(host, opening.tls) }
    if (opening.signal.aborted) throw new StoreError(STOPPED)
    const connection = new RedisConnection(host, opening, tls)
    try {
      await connection.#connect(opening.database)
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  private constructor(host: Host, opening: Opening, tls: TlsSettings | null) {
    this.host = host
    this.#timeoutMs = opening.timeoutMs
    this.#signal = opening.signal
    this.#signal.addEventListener('abort', this.#abort)
    this.server = { version: '', role: '', mode: '', runId: '' }
    this.#redis = new Redis(settings(host, opening, tls))
    this.#redis.on('error', (error) => this.#failedWith(error))
    this.#redis.on('close', () => this.#end('it was closed'))
    // The slot of a channel has gone to another server.
    this.#redis.on('moved', () => this.close('its hash slot has moved'))
    const dispatch = (channel: Buffer, message: Buffer): void => {
      const listener = this.#listeners.get(channel.toString())
      if (listener) this.#reads(() => listener(message))
    }
    this.#redis.on('messageBuffer', dispatch)
    this.#redis.on('smessageBuffer', dispatch)
  }

  get ended(): boolean {
    return this.#why !== null
  }

  get about(): string {
    return `redis ${this.server.version} at ${hostText(this.host)}`
  }

  get isCluster(): boolean {
    return this.server.mode === 'cluster'
  }

  async #connect(database: number): Promise<void> {
    await this.#redis.connect().catch((error) => {
      throw this.#lost(this.#whyOf(error))
    })
    const [hello, info] = await Promise.all([this.call('HELLO', []), this.call('INFO', ['server'])])
    this.server = readFacts(hello, info)
    // A server that is loading its data, or a replica without its master, refuses it.
    await this.call('PING', [])
    // The library would go on in database 0.
    if (database !== 0) await this.call('SELECT', [database])
  }

  call(name: string, args: readonly (string | Buffer | number)[], heard?: Heard): Promise<unknown> {
    const command = new Command(name, [...args], { replyEncoding: null })
    if (heard) this.#hearFirst(command, heard)
    void this.#redis.sendCommand(command)
    return (command.promise as Promise<unknown>).catch((error) => {
      throw this.#failed(error)
    })
  }

  async script(
    { sha, text }: Script,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
    heard?: Heard,
  ): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args]
    if (this.#sent.has(sha)) {
      try {
        return await this.call('EVALSHA', [sha, ...rest], heard)
      } catch (error) {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
      }
    }
    this.#sent.add(sha)
    return this.call('EVAL', [text, ...rest], heard)
  }

  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    this.#listeners.set(channel, listener)
    try {
      await (this.isCluster ? this.#redis.ssubscribe(channel) : this.#redis.subscribe(channel))
    } catch (error) {
      throw this.#failed(error)
    }
  }

  close(why = 'it was closed'): void {
    this.#end(why)
    this.#redis.disconnect()
  }

  /** A promise would tell of it after messages that the server sent later. */
  #hearFirst(command: Command, heard: Heard): void {
    const { resolve } = command
    command.resolve = (reply: unknown) => {
      if (this.#reads(() => heard(reply))) resolve(reply)
      else command.reject(new StoreError('the reply was not read'))
    }
  }

  /** Nothing is thrown into the library: it would throw it once more, where nobody catches it. Returns false when it was not read. */
  #reads(read: () => void): boolean {
    if (this.ended) return false
    try {
      read()
      return true
    } catch (error) {
      this.#unreadable(textOf(error))
      return false
    }
  }

  #unreadable(text: string): void {
    const why = `what it sends cannot be read (${text}): is it a Redis server, and does nothing on the way change bytes?`
    this.#end(why, this.#lost(why))
    this.#redis.disconnect()
  }

  #failedWith(error: unknown): void {
    const [, text] = NO_REPLY.exec(textOf(error)) ?? []
    if (text === undefined) this.close(this.#whyOf(error))
    else this.#unreadable(text)
  }

  #failed(error: unknown): StoreError {
    if (this.#why !== null) return this.#lost(this.#why)
    const why = this.#whyOf(error)
    // The error of the library is no cause of ours: it has all arguments of the command, and a password is one.
    if (why === textOf(error) && !ELSEWHERE.test(why)) return new StoreError(why, { full: why.startsWith('OOM') })
    this.close(why)
    return this.#lost(why)
  }

  #whyOf(error: unknown): string {
    const text = textOf(error)
    return text === 'Command timed out' ? `it did not answer within ${this.#timeoutMs / 1000} s` : text
  }

  #lost(why: string): StoreError {
    return new StoreError(`Redis at ${hostText(this.host)}: ${this.#why ?? why}`)
  }

  #end(why: string, fault: StoreError | null = null): void {
    if (this.#why !== null) return
    this.#why = why
    this.#listeners.clear()
    this.#signal.removeEventListener('abort', this.#abort)
    this.onEnd?.(fault)
  }
}

/** One connection and no more: whoever has lost it does not know what has run, so nothing is sent twice. */
function settings({ host, port }: Host, opening: Opening, tls: TlsSettings | null) {
  const { login, timeoutMs, name } = opening
  return {
    host,
    port,
    ...(login.user !== null && { username: login.user }),
    ...(login.password !== null && { password: login.password }),
    ...(tls && { tls }),
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    connectionName: name,
    // What no longer answers does not answer to the end of the connection either.
    disconnectTimeout: 0,
    lazyConnect: true,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableReadyCheck: false,
  } satisfies RedisOptions
}

/** An address is no name that a server could choose its certificate by. */
function serverName({ host }: Host, tls: RedisTls): string {
  return tls.serverName ?? (isIP(host) ? '' : host)
}

function textOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message === '' || message === undefined ? String(code ?? error) : message
}
