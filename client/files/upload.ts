/** One file that is uploaded by tus 1.0 (https://tus.io/protocols/resumable-upload), and goes on where it was after any loss. */
import { UPLOAD_PART, UPLOADS } from '../../schemas/file-paths.js'
import { ChatError } from '../base/chat-error.js'
import type { Env, PlatformSignal } from '../base/platform.js'
import { sleep } from '../base/sleep.js'
import { sendDelay } from '../connection/backoff.js'
import type { ItemFile } from '../outbox/files.js'
import { base64 } from '../wire/events/http-login.js'
import type { Http } from './http.js'

/** Bytes of one request: the first one; proxies take no longer ones unless they are told; and as much as the slowest connection that a broker bears sends in time. */
const FIRST_PART = 65_536
const LARGEST_PART = 1_048_576
const SMALLEST_PART = 32_768
/** Ms that a request should take: so often there is progress to show, and no more is lost with a connection. */
const QUICK = 500
const SLOW = 4000
/** Times in a row that the login is refused, each time with another token if there is one. */
const MOST_REFUSED = 4

const TUS = { 'tus-resumable': '1.0.0' }

export interface UploadDeps {
  readonly http: Http
  readonly env: Pick<Env, 'now' | 'random' | 'timer'>
}

export interface UploadFacts {
  /** Media type; empty: not known. */
  readonly mime: string
  /** Unix ms: it is not tried again later. */
  readonly until: number
}

/** What is told of an upload. */
export interface UploadListener {
  /** `id` is known. */
  begun(): void
  progressed(): void
}

/** Gives it up, or removes the file that came of it. */
export function removeUpload({ http }: UploadDeps, id: string, signal: PlatformSignal): Promise<void> {
  return http.ask(`${UPLOADS}/${id}`, { method: 'DELETE', headers: TUS, signal }, () => {})
}

export class Upload {
  readonly #deps: UploadDeps
  readonly #file: ItemFile
  readonly #about: UploadFacts
  readonly #listener: UploadListener
  #part = FIRST_PART
  #largest = LARGEST_PART
  /** In a row. */
  #failures = 0
  #refused = 0

  constructor(deps: UploadDeps, file: ItemFile, about: UploadFacts, listener: UploadListener) {
    this.#deps = deps
    this.#file = file
    this.#about = about
    this.#listener = listener
  }

  /**
   * Resolves when the broker has all of it. Rejects with a `ChatError` when the broker does not take it, or `signal` is aborted.
   * @param session When it is aborted, nothing is sent any more. What `signal` ends may be finished before, so that it can be removed.
   */
  async run(signal: PlatformSignal, session: PlatformSignal): Promise<void> {
    for (;;) {
      try {
        return await this.#attempt(signal, session)
      } catch (error) {
        if (signal.aborted || !this.#mayGoOn(error as ChatError)) throw error
        await sleep(this.#deps.env, this.#delayAfter(error as ChatError), signal)
        if (signal.aborted) throw error
      }
    }
  }

  async #attempt(signal: PlatformSignal, session: PlatformSignal): Promise<void> {
    const { blob } = this.#file
    if (!blob) throw new ChatError('storage', 'the device does not have the file any more')
    if (this.#file.id === undefined) await this.#create(blob, session)
    else await this.#look(signal)
    while (this.#file.done < blob.size) {
      if (signal.aborted) throw new ChatError('aborted', 'given up')
      await this.#send(signal)
    }
  }

  async #create({ size }: Blob, signal: PlatformSignal): Promise<void> {
    const { name = '' } = this.#file
    const metadata = [['filename', name] as const, ['filetype', this.#about.mime] as const]
      .filter(([, value]) => value !== '')
      .map(([key, value]) => `${key} ${base64(value)}`)
    const headers = { ...TUS, 'upload-length': String(size), 'upload-metadata': metadata.join(',') }
    const location = await this.#deps.http.ask(
      UPLOADS,
      { method: 'POST', headers, signal },
      (answer) => answer.headers.get('location') ?? '',
    )
    this.#file.id = location.split('/').at(-1)!
    this.#listener.begun()
    this.#progressed(0)
  }

  /** How far it has come. If that is all of it, the broker has finished it. */
  async #look(signal: PlatformSignal): Promise<void> {
    const path = `${UPLOADS}/${this.#file.id}`
    this.#progressed(await this.#deps.http.ask(path, { method: 'HEAD', headers: TUS, signal }, offsetIn))
  }

  async #send(signal: PlatformSignal): Promise<void> {
    const { http, env } = this.#deps
    const { blob, done, id } = this.#file
    const body = await blob!
      .slice(done, done + this.#part)
      .arrayBuffer()
      .catch(unreadable)
    const headers = { ...TUS, 'content-type': UPLOAD_PART, 'upload-offset': String(done) }
    const began = env.now()
    const offset = await http.ask(`${UPLOADS}/${id}`, { method: 'PATCH', headers, body, signal }, offsetIn)
    const took = env.now() - began
    if (took < QUICK) this.#part = Math.min(this.#part * 2, this.#largest)
    if (took > SLOW) this.#shrink()
    this.#failures = 0
    this.#progressed(offset)
  }

  #progressed(offset: number): void {
    this.#refused = 0
    this.#file.done = offset
    this.#listener.progressed()
  }

  #shrink(): void {
    this.#part = Math.max(SMALLEST_PART, this.#part / 2)
  }

  #mayGoOn({ code, transient }: ChatError): boolean {
    const { id } = this.#file
    if (this.#deps.env.now() > this.#about.until) return false
    // As much as arrived of it stays.
    if (code === 'timeout') this.#shrink()
    if (code === 'not_found' && id !== undefined) {
      // It was removed, or its time was over.
      this.#file.id = undefined
      return true
    }
    // A proxy takes no requests of this size.
    if (code === 'too_large' && id !== undefined && this.#part > SMALLEST_PART) {
      this.#shrink()
      this.#largest = this.#part
      return true
    }
    if (code === 'unauthorized') return ++this.#refused < MOST_REFUSED
    // It is not as far as was thought, or came to its end elsewhere.
    return transient || (code === 'conflict' && id !== undefined)
  }

  #delayAfter(error: ChatError): number {
    return sendDelay(++this.#failures, error, this.#deps.env.random())
  }
}

function offsetIn({ headers }: Response): number {
  const offset = Number(headers.get('upload-offset') ?? Number.NaN)
  if (Number.isSafeInteger(offset)) return offset
  throw new ChatError(
    'unavailable',
    'the answer does not say how far the upload is: a page of another origin needs listen.origins',
  )
}

function unreadable(cause: unknown): never {
  throw new ChatError('storage', 'the device cannot read the file: it may have been changed, or be gone', { cause })
}
