/** Uploaded files are read by processes of their own, one at a time, each with limits on its memory and time: what a parser does with a hostile file ends with its process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants, setPriority } from 'node:os'
import { Refusal } from '../../../schemas/errors.js'
import { Semaphore } from '../../util/semaphore.js'

/** Uploads that may wait for their turn. */
const MOST_WAITING = 256
/** Most bytes of an answer. */
const MOST_ANSWER = 65_536
/** What Node reserves of addresses, beside what it uses: bytes. */
const RESERVED = 4 * 2 ** 30
/** How many times its CPU time a process may take: the machine may be busy. */
const PATIENCE = 15
/** Sets the limits, of addresses in kB (where the system knows it) and of CPU time in seconds, then becomes the program. */
const WITHIN_LIMITS = 'ulimit -v "$1" 2>/dev/null; ulimit -t "$2" && ulimit -c 0 && shift 2 && exec "$@"'
/** Nothing of the broker's own, which may hold secrets. */
const ENVIRONMENT = { PATH: process.env['PATH'], MALLOC_ARENA_MAX: '2' }

export interface ProcessLimits {
  /** Bytes. */
  readonly memory: number
  /** Seconds of CPU time. */
  readonly time: number
}

/** What a program says that cannot read the file, or why it has said nothing. */
export interface Unread {
  readonly refused: string
}

/** Whether a program with this optional package can run: there is the package, and a shell that sets limits. */
export function canRun(name: string): boolean {
  if (process.platform === 'win32') return false
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

export class ChildProcesses {
  readonly #running = new Set<ChildProcess>()
  #closed = false
  readonly #turns = new Semaphore(
    1,
    MOST_WAITING,
    () => new Refusal('unavailable', 'too many files wait to be read; go on with the upload later', { retryAfter: 30 }),
  )

  /**
   * Runs a program with a task, and resolves with what it answers.
   * @param user On whose behalf: users take turns
   * @throws Refusal `unavailable` if it was not tried
   */
  run<Outcome extends object>(
    user: string,
    program: string,
    task: object,
    limits: ProcessLimits,
  ): Promise<Outcome | Unread> {
    const args = argumentsOf(program, task, limits)
    return this.#turns.run({ place: '', name: user }, () => this.#run<Outcome>(args, limits.time))
  }

  /** Ends the process that runs: its upload is gone on with after the next start. */
  close(): void {
    this.#closed = true
    for (const child of this.#running) child.kill('SIGKILL')
  }

  #run<Outcome extends object>(args: string[], seconds: number): Promise<Outcome | Unread> {
    return new Promise((resolve, reject) => {
      const untried = (cause?: unknown): void =>
        reject(new Refusal('unavailable', 'files are not read at present; go on with the upload later', { cause }))
      if (this.#closed) return untried()
      const child = spawn('/bin/sh', args, { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'ignore'] })
      const timer = setTimeout(() => child.kill('SIGKILL'), seconds * PATIENCE * 1000).unref()
      this.#running.add(child)
      let answer = ''
      child.once('spawn', () => yieldTo(child.pid!))
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (answer.length < MOST_ANSWER) answer += text
      })
      child.once('error', untried)
      child.once('close', () => {
        clearTimeout(timer)
        this.#running.delete(child)
        if (this.#closed && answer === '') untried()
        else resolve(read<Outcome>(answer))
      })
    })
  }
}

/** Arguments of the shell. */
function argumentsOf(program: string, task: object, { memory, time }: ProcessLimits): string[] {
  const addresses = Math.ceil((memory + RESERVED) / 1024)
  const command = [process.execPath, '--max-old-space-size=64', program, JSON.stringify({ ...task, memory })]
  return ['-c', WITHIN_LIMITS, 'sh', String(addresses), String(Math.ceil(time)), ...command]
}

/** The broker goes first. */
function yieldTo(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended already.
  }
}

/** A process without an answer met a limit, or the parser crashed. */
function read<Outcome extends object>(answer: string): Outcome | Unread {
  try {
    return JSON.parse(answer) as Outcome
  } catch {
    return { refused: 'it takes too much time or memory' }
  }
}
