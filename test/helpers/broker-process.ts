/** `topictalk serve` in a process of its own, which a test may kill at any moment. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { mintToken } from '../../broker/auth/tokens.js'
import { CLI } from './command.js'
import { endWithUs } from './end-with-us.js'
import { freePort } from './free-port.js'

const SECRET = 'a secret that only tests know, long enough for HS256'

export class BrokerProcess {
  readonly port: number
  /** Log lines at level error or above (or as `log.level` of the settings says), and unexpected exits. */
  readonly complaints: string[] = []
  readonly #dataDir: string
  readonly #settings: readonly string[]
  readonly #environment: Readonly<Record<string, string>>
  #process: ChildProcess | null = null

  private constructor(
    port: number,
    dataDir: string,
    settings: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) {
    this.port = port
    this.#dataDir = dataDir
    this.#settings = settings
    this.#environment = environment
  }

  /** Makes a broker that is not started yet; it is stopped and its data deleted with the test. `settings` are `key=value`. */
  static async make(
    t: Test,
    settings: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<BrokerProcess> {
    const dataDir = await mkdtemp(join(tmpdir(), 'topictalk-process-'))
    const broker = new BrokerProcess(await freePort(), dataDir, settings, environment)
    t.teardown(async () => {
      await broker.kill()
      await rm(dataDir, { recursive: true, force: true })
    })
    return broker
  }

  get dataDir(): string {
    return join(this.#dataDir, 'data')
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  token(user: string): Promise<string> {
    return mintToken(Buffer.from(SECRET), user)
  }

  /** Starts it. Resolves when the broker reports that it is ready. */
  async start(): Promise<void> {
    const settings = ['listen.http=null', 'log.level=error', ...this.#settings]
    const command = this.#environment['TEST_CLI'] ?? CLI
    const child = spawn(process.execPath, [command, 'serve', ...settings.flatMap((setting) => ['--set', setting])], {
      // A directory without a config.yaml.
      cwd: this.#dataDir,
      env: {
        PATH: process.env['PATH'],
        TOPICTALK_LISTEN_MQTT: String(this.port),
        TOPICTALK_NODE_DATA_DIR: join(this.#dataDir, 'data'),
        TOPICTALK_AUTH_JWT_SECRET: SECRET,
        ...this.#environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#process = child
    child.once('spawn', () => endWithUs(child))
    child.once('exit', (code, signal) => {
      if (this.#process === child) this.complaints.push(`the broker exited by itself: ${code ?? signal}`)
    })
    createInterface({ input: child.stderr! }).on('line', (line) => this.complaints.push(line))
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`the broker did not start: ${this.complaints.join('\n')}`)))
      createInterface({ input: child.stdout! }).on('line', (line) => {
        if (line.startsWith('{')) this.complaints.push(line)
        if (line.startsWith('ready')) resolve()
      })
    })
  }

  /** Null: it does not run. */
  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  /** Resident memory, in bytes. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.#process!.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024
  }

  /** Sockets the process has open. */
  async sockets(): Promise<number> {
    const directory = `/proc/${this.#process!.pid}/fd`
    const open = await Promise.all(
      (await readdir(directory)).map((fd) => readlink(join(directory, fd)).catch(() => '')),
    )
    return open.filter((target) => target.startsWith('socket:')).length
  }

  /** Sends SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#process!
    this.#process = null
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await gone
    return code
  }

  /** SIGSTOP: it keeps its connections and does nothing. */
  pause(): void {
    this.#process!.kill('SIGSTOP')
  }

  resume(): void {
    this.#process!.kill('SIGCONT')
  }

  signal(signal: NodeJS.Signals): void {
    this.#process!.kill(signal)
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#process
    this.#process = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}
