/** Files as tests of the SDK send them. */
import { randomBytes } from 'node:crypto'
import type { Chat } from '../../client/chat.js'
import { fileTransfers } from '../../client/index.js'

/** One request of an upload, as the client made it. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly offset: number | null
}

/** The real `fetch`, seen from outside. */
export class SeenRequests {
  readonly asked: Asked[] = []
  /** Called with each request. */
  heard = (): void => {}
  /** Called when a part was sent, with the id of the upload, before the client hears of it. */
  sent = async (_id: string): Promise<void> => {}
  /** Uploads of which a request is under way, at most. */
  most = 0
  readonly #underWay = new Map<string, number>()
  #gate: { readonly opened: Promise<void>; open(): void } | null = null

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const { pathname } = new URL(String(input))
    const headers = new Headers(init.headers)
    const offset = headers.get('upload-offset')
    const { method = 'GET' } = init
    const authorization = headers.get('authorization') ?? ''
    this.asked.push({ method, path: pathname, authorization, offset: offset === null ? null : Number(offset) })
    this.heard()
    if (method === 'PATCH') await this.#gate?.opened
    init.signal?.throwIfAborted()
    this.#underWay.set(pathname, (this.#underWay.get(pathname) ?? 0) + 1)
    if (method === 'PATCH') this.most = Math.max(this.most, this.#underWay.size)
    try {
      const answer = await fetch(input, init)
      if (method === 'PATCH') await this.sent(pathname.split('/').at(-1)!)
      return answer
    } finally {
      const left = this.#underWay.get(pathname)! - 1
      if (left > 0) this.#underWay.set(pathname, left)
      else this.#underWay.delete(pathname)
    }
  }

  /** No part is sent until `open`. */
  hold(): void {
    let open!: () => void
    const opened = new Promise<void>((resolve) => (open = resolve))
    this.#gate = { opened, open }
  }

  open(): void {
    this.#gate?.open()
    this.#gate = null
  }

  /** Methods in their order; those of one kind in a row count once. */
  get methods(): string[] {
    return this.asked.map(({ method }) => method).filter((method, at, all) => method !== all[at - 1])
  }

  transfers(options: { outboxBytes?: number; url?: string } = {}) {
    return fileTransfers({ fetch: this.fetch, ...options })
  }
}

/** Bytes of a media type of their own, so that the broker keeps them as they are. */
export function noise(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([Buffer.from('OggS'), randomBytes(size - 4)]))
}

/** The same for the same text. */
export function numberedBytes(text: string, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Buffer.alloc(size, `${text} `))
  bytes.set(Buffer.from('OggS'))
  return bytes
}

export const aFile = (bytes: Uint8Array<ArrayBuffer>, name = 'sound.ogg') => ({ bytes, name, type: 'audio/ogg' })

/** The bytes of the files of a room, message by message, as this client reads them. */
export async function filesOf(chat: Chat, room: string): Promise<Buffer[][]> {
  const { messages } = await chat.ask.history({ room, limit: 200 })
  const files: Buffer[][] = []
  for (const message of messages) {
    const attachments = 'gone' in message ? [] : (message.attachments ?? [])
    const blobs = await Promise.all(attachments.map((attachment) => chat.files.blob(attachment)))
    files.push(await Promise.all(blobs.map(async (blob) => Buffer.from(await blob.arrayBuffer()))))
  }
  return files
}
