/** Real Redis servers, each in a process of its own with a directory of its own; they end with the test, and if the test's process dies. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { endWithUs } from './end-with-us.js'
import { freePort } from './free-port.js'

export interface RedisSettings {
  /** When the append-only file is synced; `off`: there is none. */
  readonly aof?: 'always' | 'everysec' | 'off'
  /** Directives of redis.conf, such as `{ maxmemory: '4mb' }`. */
  readonly config?: Readonly<Record<string, string>>
}

const run = promisify(execFile)
/** Every installation has the server under this name, too, and goes by the name that it is called by (`scripts/prepare.mjs` says why). */
const PROGRAM = 'redis-check-rdb'
const SENTINEL = 'sentinel.conf'
/** In the log when the server takes connections. A Sentinel says only whom it watches. */
const READY = /Ready to accept connections|\+monitor master/

export async function startRedis(t: Test, { aof = 'always', config = {} }: RedisSettings = {}): Promise<RedisServer> {
  const append = aof === 'off' ? { appendonly: 'no' } : { appendonly: 'yes', appendfsync: aof }
  // A replica would wait five seconds for others to copy along with it.
  const quick = { save: '', 'repl-diskless-sync-delay': '0', 'enable-debug-command': 'yes' }
  return RedisServer.start(t, { ...append, ...quick, ...config })
}

export class RedisServer {
  readonly port: number
  readonly directory: string
  readonly #arguments: readonly string[]
  #process: ChildProcess | null = null

  /** @param config Directives; port, address and directory are added. @param watches Lines of the file of a Sentinel, which it is then. */
  static async start(
    t: Test,
    config: Readonly<Record<string, string>>,
    watches: readonly string[] | null = null,
  ): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'topictalk-redis-'))
    if (watches) await writeFile(join(directory, SENTINEL), `${watches.join('\n')}\n`)
    const server = new RedisServer(await freePort(), directory, config, watches ? [SENTINEL, '--sentinel'] : [])
    t.teardown(async () => {
      await server.kill9()
      await rm(directory, { recursive: true, force: true })
    })
    await server.restart()
    return server
  }

  private constructor(
    port: number,
    directory: string,
    config: Readonly<Record<string, string>>,
    first: readonly string[],
  ) {
    this.port = port
    this.directory = directory
    const own = { port: String(port), bind: '127.0.0.1', dir: directory, logfile: '', daemonize: 'no' }
    const directives = Object.entries({ ...own, ...config }).flatMap(([name, value]) => [
      `--${name}`,
      ...valuesOf(value),
    ])
    this.#arguments = [...first, ...directives]
  }

  get url(): string {
    return `redis://${this.host}`
  }

  /** Starts it again on what it has stored; stops it first where it runs. Resolves when it takes connections. */
  async restart(): Promise<void> {
    await this.stop()
    const child = spawn(PROGRAM, this.#arguments, {
      argv0: 'redis-server',
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    const said: string[] = []
    await new Promise<void>((resolve, reject) => {
      const failed = (why: string): void => reject(new Error(`redis-server did not start: ${why}\n${said.join('\n')}`))
      child.once('error', (error) => failed(`${error.message}; Debian has it in the package redis-tools`))
      child.once('exit', (code, signal) => failed(`it ended with ${code ?? signal}`))
      child.once('spawn', () => endWithUs(child))
      createInterface({ input: child.stdout! }).on('line', (line) => {
        said.push(line)
        if (READY.test(line)) resolve()
      })
    })
  }

  get isRunning(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  /** SIGTERM: it ends as a service is stopped. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  kill9(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void {
    this.#process!.kill('SIGSTOP')
  }

  resume(): void {
    this.#process!.kill('SIGCONT')
  }

  /** What `redis-cli` prints for a command. */
  async command(...words: readonly string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', String(this.port), ...words])
    return stdout.trim()
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process
    this.#process = null
    if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
}

/** An empty value is a word of its own: `save ""`. */
function valuesOf(value: string): string[] {
  return value === '' ? [''] : value.split(' ')
}
