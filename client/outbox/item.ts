import { ChatError } from '../base/chat-error.js'
import { type Live, LiveValue } from '../base/live.js'
import type { Key } from '../store/store.js'
import { utf8 } from '../wire/utf8.js'
import type { Blobs, ItemFile } from './files.js'
import type { Outgoing, SendInput, SendState, Sent } from './outgoing.js'
import type { OutboxRow } from './rows.js'

/** What an item asks of its outbox. */
export interface ItemOwner {
  retry(item: Item): void
  cancel(item: Item): Promise<boolean>
}

/** A message of the outbox. */
export class Item implements Outgoing {
  readonly cid: string
  room: string
  since: number
  #input: SendInput
  #bytes: number
  /** It may have left the device, or is about to. */
  hasLeft: boolean
  /** It has left, and there was no answer. */
  isInDoubt: boolean
  /** Of its row. */
  key: Key
  stored: Promise<void> = Promise.resolve()
  sent!: Promise<Sent>
  /** Null: the broker has not taken it. */
  #sent: Sent | null = null
  #accept!: (sent: Sent) => void
  #reject!: (error: unknown) => void
  readonly #owner: ItemOwner
  readonly #state: LiveValue<SendState>

  /** To be uploaded before it is sent. */
  readonly files: readonly ItemFile[]
  /** The store has the bytes of its files, or is about to. */
  areFilesKept = false

  constructor(
    owner: ItemOwner,
    key: Key,
    { cid, room, since, input, hasLeft = false, files = [], sent, error }: OutboxRow,
    blobs: Blobs = [],
  ) {
    this.#owner = owner
    this.files = files.map((file, at) => ({ id: undefined, isDone: false, ...file, done: 0, blob: blobs[at] }))
    this.key = key
    this.cid = cid
    this.room = room
    this.since = since
    this.#input = input
    this.#bytes = bytesOf(input)
    this.hasLeft = hasLeft
    this.isInDoubt = hasLeft
    this.#state = new LiveValue<SendState>({ at: 'queued' })
    this.#promise()
    if (sent) this.accepted(sent)
    if (error) this.failed(new ChatError(error.code, error.message, error))
  }

  get state(): Live<SendState> {
    return this.#state
  }

  get attachments(): Blobs {
    return this.files.map(({ blob }) => blob)
  }

  /** Bytes of its files. */
  get fileBytes(): number {
    return this.files.reduce((sum, { blob }) => sum + (blob?.size ?? 0), 0)
  }

  /** All of its files are uploaded. */
  get isReady(): boolean {
    return this.files.every(({ isDone }) => isDone)
  }

  /** 0: it has none. */
  get seq(): number {
    return this.#sent?.seq ?? 0
  }

  get isFailed(): boolean {
    return this.#state.current.at === 'failed'
  }

  /** The cid of the message that it is about; null: it is about none, or about one that is in the room. */
  get awaits(): string | null {
    return typeof this.input.target === 'string' ? this.input.target : null
  }

  get input(): SendInput {
    return this.#input
  }

  /** What it counts for. */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns by how many bytes it has grown. */
  rewrite(input: SendInput): number {
    const before = this.#bytes
    this.#input = input
    this.#bytes = bytesOf(input)
    return this.#bytes - before
  }

  /** What it is about is in the room. */
  resolve(target: number): void {
    this.#input = { ...this.#input, target }
  }

  get row(): OutboxRow {
    const { cid, room, since, input, hasLeft } = this
    const files = this.files.map(({ blob: _, done: __, ...file }) => file)
    const row: OutboxRow = {
      ...{ cid, room, since, input, hasLeft },
      ...(this.#sent ? { sent: this.#sent } : files.length > 0 && { files }),
    }
    const state = this.#state.current
    if (state.at !== 'failed') return row
    const { code, message, field } = state.error
    return { ...row, error: { code, message, ...(field !== undefined && { field }) } }
  }

  retry(): void {
    this.#owner.retry(this)
  }

  cancel(): Promise<boolean> {
    return this.#owner.cancel(this)
  }

  queued(): void {
    if (this.isFailed) this.#promise()
    this.#state.set({ at: 'queued' })
  }

  /** More of its files is at the broker. */
  uploading(): void {
    if (this.isFailed) return
    const done = this.files.reduce((sum, file) => sum + file.done, 0)
    this.#state.set({ at: 'uploading', done, total: this.fileBytes })
  }

  /** Nothing of it is uploaded at present. */
  interrupted(): void {
    if (this.#state.current.at === 'uploading') this.queued()
  }

  /** All of a file is at the broker; null: none of it is any more. */
  uploaded(file: ItemFile, id: string | null): void {
    file.isDone = id !== null
    if (id === null) Object.assign(file, { id: undefined, done: 0 })
    const attachments = this.#input.attachments!.map(({ file: _, ...attachment }, at) =>
      at !== file.place ? this.#input.attachments![at]! : id === null ? attachment : { ...attachment, file: id },
    )
    this.#input = { ...this.#input, attachments }
    if (this.isReady) this.interrupted()
  }

  sending(): void {
    this.#state.set({ at: 'sending' })
  }

  accepted(sent: Sent): void {
    this.#sent = sent
    this.#accept(sent)
    this.#state.set({ at: 'sent', seq: sent.seq, ts: sent.ts })
  }

  failed(error: ChatError): void {
    this.#reject(error)
    this.#state.set({ at: 'failed', error, mayRetry: mayRetry(error) })
  }

  canceled(why = 'the message was canceled'): void {
    this.#reject(new ChatError('aborted', why))
    this.#state.set({ at: 'canceled' })
  }

  #promise(): void {
    this.sent = new Promise((accept, reject) => {
      this.#accept = accept
      this.#reject = reject
    })
    this.sent.catch(() => {})
  }
}

/** Of JSON. */
export function bytesOf(input: SendInput): number {
  return utf8(JSON.stringify(input)).length
}

/** What the same message is refused with again. */
const HOPELESS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'bad_request',
  'too_large',
  'conflict',
  'not_implemented',
  'storage',
])

/** Whether the same may succeed. */
function mayRetry({ code, field }: ChatError): boolean {
  // Too many files, or bytes of them, of the user or the room: there may be fewer later.
  if (code === 'too_large' && field === ALL_FILES) return true
  // What a scanner, or an admin, has blocked stays so.
  return !HOPELESS.has(code) && !(code === 'forbidden' && field?.startsWith(ALL_FILES))
}

/** The field by which all files of a message are refused together; with a number, one of them. */
export const ALL_FILES = 'attachments'
