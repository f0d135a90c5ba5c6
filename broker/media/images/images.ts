/** Images are written anew, one at a time, each by a process of its own with limits on its memory and time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Refusal } from '../../../schemas/errors.js'
import { Semaphore } from '../../util/semaphore.js'
import type { ImageOutcome, ImageTask } from './image-task.js'

const PROGRAM = fileURLToPath(new URL('./image-process.js', import.meta.url))
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

/** Whether there is what reads images: the optional package, and a shell that sets limits. */
export function hasDecoder(): boolean {
  if (process.platform === 'win32') return false
  try {
    createRequire(import.meta.url).resolve('sharp')
    return true
  } catch {
    return false
  }
}

/** Nothing of the broker's own, which may hold secrets. */
const ENVIRONMENT = { PATH: process.env['PATH'], MALLOC_ARENA_MAX: '2' }

export interface ImageLimits {
  readonly pixels: number
  /** Bytes. */
  readonly memory: number
  /** Seconds of CPU time. */
  readonly time: number
  /** Pixels. */
  readonly thumbnail: number
}

/** Media types that are written anew, with the format in which they are. */
const FORMATS: Readonly<Record<string, ImageTask['format']>> = {
  'image/jpeg': 'jpeg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  // AVIF takes a hundred times as long to write.
  'image/avif': 'webp',
}

export interface ConvertedImage {
  readonly mime: string
  readonly size: number
  readonly width: number
  readonly height: number
  readonly placeholder: string
}

export class Images {
  readonly #limits: ImageLimits
  readonly #running = new Set<ChildProcess>()
  #closed = false
  readonly #turns = new Semaphore(
    1,
    MOST_WAITING,
    () => new Refusal('unavailable', 'too many images wait; go on with the upload later', { retryAfter: 30 }),
  )

  constructor(limits: ImageLimits) {
    this.#limits = limits
  }

  takes(mime: string): boolean {
    return Object.hasOwn(FORMATS, mime)
  }

  /**
   * Writes the image `from` anew to `to`, and a small one to `small`.
   * @param user On whose behalf: users take turns
   * @throws Refusal `bad_request` if it is no image of this type, or beyond the limits; `unavailable` if it was not tried
   */
  async convert(user: string, mime: string, paths: Pick<ImageTask, 'from' | 'to' | 'small'>): Promise<ConvertedImage> {
    const { time, ...limits } = this.#limits
    const format = FORMATS[mime]!
    const task: ImageTask = { ...paths, ...limits, format }
    const outcome = await this.#turns.run({ place: '', name: user }, () => this.#run(task, time))
    if ('refused' in outcome) throw new Refusal('bad_request', `the image cannot be read: ${outcome.refused}`)
    return { ...outcome, mime: `image/${format}` }
  }

  /** Ends the process that runs: its upload is gone on with after the next start. */
  close(): void {
    this.#closed = true
    for (const child of this.#running) child.kill('SIGKILL')
  }

  #run(task: ImageTask, seconds: number): Promise<ImageOutcome> {
    return new Promise((resolve, reject) => {
      const untried = (cause?: unknown): void =>
        reject(new Refusal('unavailable', 'images are not read at present; go on with the upload later', { cause }))
      if (this.#closed) return untried()
      const child = spawn('/bin/sh', commandFor(task, seconds), {
        env: ENVIRONMENT,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
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
        else resolve(read(answer))
      })
    })
  }
}

/** Arguments of the shell. */
function commandFor(task: ImageTask, seconds: number): string[] {
  const addresses = Math.ceil((task.memory + RESERVED) / 1024)
  const program = [process.execPath, '--max-old-space-size=64', PROGRAM, JSON.stringify(task)]
  return ['-c', WITHIN_LIMITS, 'sh', String(addresses), String(Math.ceil(seconds)), ...program]
}

/** The broker goes first. */
function yieldTo(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // It has ended already.
  }
}

/** A process without an answer met a limit, or the decoder crashed. */
function read(answer: string): ImageOutcome {
  try {
    return JSON.parse(answer) as ImageOutcome
  } catch {
    return { refused: 'it takes too much time or memory' }
  }
}
