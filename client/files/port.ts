/** What a client knows of files, unless it is given `fileTransfers()`, which does the rest. */
import type { Env, PlatformBlob, PlatformSignal } from '../base/platform.js'
import type { Attachment } from '../outbox/files.js'
import type { OpenUploads } from '../outbox/uploads.js'
import type { Methods } from '../requests/method-types.js'
import type { Login } from '../wire/wire.js'

export interface ShowOptions {
  /** The small image of it, for attachments that have a `thumbnail`; else `not_found`. */
  readonly thumbnail?: boolean
}

export interface ReadOptions {
  readonly signal?: PlatformSignal
  /** Called with the number of bytes that are there, whenever more have come. */
  progress?(done: number): void
}

/** Files of messages that the user may read now. */
export interface Files {
  /**
   * An address for `<img src>`, `<video src>` and `<a href>`, which needs no login and lasts for some minutes: it is asked for when it is to be
   * shown, costs nothing if it was asked for shortly before, and is not kept. Whoever has it acts for the user until then. An attachment with a `url`
   * has that, if it begins with `http`. Rejects with a `ChatError`.
   */
  url(attachment: Pick<Attachment, 'file' | 'url' | 'thumbnail'>, options?: ShowOptions): Promise<string>
  /**
   * The bytes. Their `type` is that of images, audio, video and text, of all else `application/octet-stream`. Rejects with a `ChatError`, `bad_request`
   * if the attachment has no `file`.
   */
  blob(attachment: Pick<Attachment, 'file'>, options?: ShowOptions & ReadOptions): Promise<PlatformBlob>
}

export interface FileTransfers {
  readonly files: Files
  readonly uploads: OpenUploads
  /** The client is connected, as this user. */
  began(user: string): void
  /** The client was closed. It may connect again. */
  ended(): void
}

export interface FilesContext {
  /** `https://host` of the client's `url`. */
  readonly url: string
  readonly env: Pick<Env, 'now' | 'random' | 'timer'>
  /** The present login. Rejects as `getToken` does, or with a `ChatError`. */
  login(): Promise<Login>
  /** The broker has refused it. */
  refused(): void
  readonly ask: Pick<Methods, 'files'>
}

/** What `fileTransfers()` returns. */
export type OpenFiles = (context: FilesContext) => FileTransfers
