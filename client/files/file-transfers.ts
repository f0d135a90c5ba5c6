/** Files of messages, for clients that send or show some. */
import { MEDIA } from '../../schemas/file-paths.js'
import { ChatError } from '../base/chat-error.js'
import { Scope } from '../base/scope.js'
import type { Attachment } from '../outbox/files.js'
import { Http } from './http.js'
import { Links } from './links.js'
import type { Files, FilesContext, FileTransfers, OpenFiles, ReadOptions, ShowOptions } from './port.js'
import { Uploader } from './uploader.js'

export interface FileTransferOptions {
  /** Of the broker's HTTP, such as `https://chat.example.com`. Left out: the host of the client's `url`. */
  readonly url?: string
  /** Bytes of files that wait in the outbox; more are not taken. Left out: 256 MiB. */
  readonly outboxBytes?: number
  /** Left out: that of the platform. */
  readonly fetch?: typeof fetch
}

type Shown = Pick<Attachment, 'file' | 'url' | 'thumbnail'>

const WEB = /^https?:\/\//i

const OUTBOX_BYTES = 268_435_456

/** Lets a client send files, and show those of messages: the option `files` of `createChat`. */
export function fileTransfers(options: FileTransferOptions = {}): OpenFiles {
  return (context) => new Transfers(options, context)
}

class Transfers implements FileTransfers, Files {
  readonly uploads: FileTransfers['uploads']
  readonly #http: Http
  readonly #links: Links
  #user: string | null = null
  /** What is being read. */
  readonly #reads = new Set<Scope>()

  constructor(
    { url, outboxBytes = OUTBOX_BYTES, fetch = globalThis.fetch }: FileTransferOptions,
    context: FilesContext,
  ) {
    const { env, ask } = context
    const at = (url ?? context.url).replace(/\/+$/, '')
    if (!WEB.test(at))
      throw new ChatError('bad_request', `files need HTTP: fileTransfers({ url: 'https://…' }), not ${at}`, {
        field: 'files',
      })
    this.#http = new Http({
      url: at,
      // As a method of something else it is refused by browsers.
      fetch: (...request) => fetch(...request),
      clock: env,
      login: context.login,
      refused: context.refused,
    })
    this.#links = new Links(ask, env)
    this.uploads = (source) => new Uploader({ http: this.#http, env, most: outboxBytes }, source)
  }

  get files(): Files {
    return this
  }

  began(user: string): void {
    if (this.#user !== user) this.#links.forget()
    this.#user = user
  }

  ended(): void {
    this.#links.forget()
    for (const scope of this.#reads) scope.end(new ChatError('closed', 'the client was closed'))
  }

  async url(attachment: Shown, { thumbnail = false }: ShowOptions = {}): Promise<string> {
    const { file } = attachment
    const found = file === undefined ? attachment : await this.#links.of(file)
    const address = thumbnail ? found.thumbnail : found.url
    if (address === undefined) throw new ChatError('not_found', 'the attachment has no such address')
    if (file !== undefined) return this.#http.url + address
    if (WEB.test(address)) return address
    // Its sender may have chosen one that runs something.
    throw new ChatError('bad_request', 'the attachment has an address that is none of the web')
  }

  async blob(
    { file }: Pick<Attachment, 'file'>,
    { thumbnail = false, signal, progress }: ShowOptions & ReadOptions = {},
  ): Promise<Blob> {
    if (file === undefined) throw new ChatError('bad_request', 'no file of the broker: fetch its url')
    const scope = new Scope(signal)
    this.#reads.add(scope)
    try {
      const path = `${MEDIA}/${file}${thumbnail ? '/thumbnail' : ''}`
      return await scope.race(
        this.#http.ask(path, { signal: scope.signal }, (answer, heard) => allOf(answer, heard, progress)),
      )
    } finally {
      this.#reads.delete(scope)
      scope.end(null)
    }
  }
}

/** However long it takes, as long as there is more of it. What browsers must not show in place, such as HTML, has no media type: opened by a page it would be run as its own. */
async function allOf(
  { body, headers }: Response,
  heard: () => void,
  progress?: ReadOptions['progress'],
): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let done = 0
  const reader = body!.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    parts.push(read.value)
    heard()
    progress?.((done += read.value.length))
  }
  const isShown = headers.get('content-disposition')?.startsWith('inline')
  return new Blob(parts, { type: (isShown && headers.get('content-type')) || 'application/octet-stream' })
}
