/** How files come to the broker, as the outbox sees it. What does it is in `client/files`, which only those load who send files. */
import { ChatError } from '../base/chat-error.js'
import type { Signal } from '../base/platform.js'
import type { Store } from '../store/store.js'
import type { Attach, Blobs, FileRow } from './files.js'
import type { Item } from './item.js'
import type { SendInput } from './outgoing.js'
import type { OutboxRow } from './rows.js'

export interface AttachedInput {
  readonly input: SendInput
  readonly files: readonly FileRow[]
  readonly blobs: Blobs
}

/** What uploads the files of the outbox. */
export interface Uploads {
  /**
   * The message with a place for each file.
   * @throws ChatError `bad_request`, or `storage` if it is too much
   */
  attach(input: SendInput, attach: readonly Attach[]): AttachedInput
  /** From now on bytes are read from this store. */
  open(store: Pick<Store, 'get'>): void
  /** The bytes of the files of a message that was kept. Never rejects. */
  bytesOf(row: OutboxRow): Promise<Blobs>
  /** The bytes of its files are being written, as `stored` tells. */
  keeps(item: Item): void
  /** Uploads what waits, until `signal` is aborted. */
  begin(signal: Signal): void
  /** There may be something to upload. */
  pump(): void
  /** Whether the broker refuses the message because it has removed a file that waited too long, which is uploaded once more then. */
  beginsAnew(item: Item, error: ChatError): boolean
  /** The message is not going to be sent: nothing of its files stays at the broker, if that can be reached. */
  canceled(item: Item): void
  /** Resolves when nothing is under way any more, after `signal` was aborted. */
  settled(): Promise<void>
}

/** The outbox, as uploads see it. */
export interface UploadSource {
  /** In the order in which they were sent. */
  items(): Iterable<Item>
  /** There is something new of its files that has to be known after a reload, or they are all uploaded. */
  changed(item: Item): void
  failed(item: Item, error: ChatError): void
}

export type OpenUploads = (source: UploadSource) => Uploads

/** The client cannot send any. */
export function noFiles(): ChatError {
  return new ChatError('not_implemented', 'the client knows nothing of files: give createChat `files: fileTransfers()`')
}
