/** Files of the device that go with messages. */
import type { MessageInput } from '../../schemas/message.js'
import type { PlatformBlob } from '../base/platform.js'

export type Attachment = NonNullable<MessageInput['attachments']>[number]

/** A file of the device, with what is not in a `Blob` or `File` itself. */
export interface LocalFile {
  readonly bytes: PlatformBlob | Uint8Array
  /** Shown to those who get it. */
  readonly name?: string | undefined
  /** Media type; else that of the `Blob`. The broker looks at the bytes itself. */
  readonly type?: string | undefined
  /** What the message says of it besides, such as `alt`, or a `type` other than image, audio, video or file. */
  readonly attachment?: Partial<Attachment> | undefined
}

/** What can be attached. */
export type Attach = PlatformBlob | LocalFile

/** A file of a message on its way, as its row has it. Its bytes are in the table `files`, under the `cid` and its number. */
export interface FileRow {
  /** Which one of the attachments it is. */
  readonly place: number
  readonly name?: string | undefined
  /** Of its upload, and of the file that this becomes; absent: it has not begun. */
  readonly id?: string | undefined
  readonly isDone?: boolean
}

/** Of one file each; undefined: the device does not have it any more. */
export type Blobs = readonly (PlatformBlob | undefined)[]

export interface ItemFile extends FileRow {
  blob: Blobs[number]
  id: string | undefined
  /** Bytes that the broker has. */
  done: number
  isDone: boolean
  /** The broker had it, and has removed it: it is uploaded once more. */
  isAnew?: boolean
}
