import type { CommandResult } from '../../schemas/commands.js'
import type { MessageInput } from '../../schemas/message.js'
import type { ChatError } from '../base/chat-error.js'
import type { Live } from '../base/live.js'
import type { PlatformBlob } from '../base/platform.js'
import type { Attach } from './files.js'

/** A message to send: as the broker takes it. `target` may also be the `cid` of a message that is on its way, in the same room. */
export interface SendInput extends Omit<MessageInput, 'cid' | 'target'> {
  readonly target?: number | string
}

export interface SendOptions {
  /** Files of the device. They are uploaded first, and become the last ones of the `attachments`. */
  readonly attach?: readonly Attach[]
}

export type Sent = CommandResult<'send'>

export type SendState =
  /** It waits: for a connection, for messages before it, or because the broker asked for patience. */
  | { readonly at: 'queued' }
  /** Bytes of its files: what the broker has, and all of them. */
  | { readonly at: 'uploading'; readonly done: number; readonly total: number }
  | { readonly at: 'sending' }
  /** `ts`: Unix ms. `seq` 0: it was a command that a bot took, and is not in the room. */
  | { readonly at: 'sent'; readonly seq: number; readonly ts: number }
  /** It stays until a person decides: `retry`, or `cancel`. `mayRetry`: the same may succeed. */
  | { readonly at: 'failed'; readonly error: ChatError; readonly mayRetry: boolean }
  | { readonly at: 'canceled' }

/** A message on its way. */
export interface Outgoing {
  /** The broker stores only one message with it: sending it again is safe. */
  readonly cid: string
  /** A room id, `dm:{a}:{b}` or `@user`. */
  readonly room: string
  /** Unix ms. */
  readonly since: number
  /** As it is going to be sent. */
  readonly input: SendInput
  readonly state: Live<SendState>
  /** The bytes of the files that were attached, until it is sent or canceled: to be shown meanwhile. Undefined: the device does not have them any more. */
  readonly attachments: readonly (PlatformBlob | undefined)[]
  /** Resolves when it, as it is now, survives a reload or crash. Rejects with a `ChatError` `storage`; it is sent all the same. */
  readonly stored: Promise<void>
  /** Resolves when it is in the room. Rejects with a `ChatError` when it has failed or is canceled. A rejection need not be handled. */
  readonly sent: Promise<Sent>
  /** Sends it again if it has failed; then `sent` is another promise. */
  retry(): void
  /**
   * Resolves with false if it may have left the device: then only a message of type `delete` removes it. After `close()` of the client another one with
   * the same store may send it nevertheless. Rejects with a `ChatError` `storage`: it may come back after a reload.
   */
  cancel(): Promise<boolean>
}
