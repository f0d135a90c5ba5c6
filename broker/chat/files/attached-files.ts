/** Files of a message: described by what the broker knows of them, and checked in the commit that writes the message. */
import { Refusal } from '../../../schemas/errors.js'
import type { MessageInput } from '../../../schemas/message.js'
import type { Op } from '../../store/op.js'
import type { Transaction } from '../../store/transaction.js'
import type { Actor } from '../model/actor.js'
import { type CheckedMessage, rewritten } from '../model/message.js'
import type { FileAccess, FinishedFile } from './file-access.js'
import { hasFiles } from './file-references.js'
import { factsView } from './file-view.js'
import { countOps } from './room-files.js'

type Attachment = NonNullable<MessageInput['attachments']>[number]

export class AttachedFiles {
  readonly #access: FileAccess
  readonly #roomBytes: number

  /** @param roomBytes For all files of a room; 0: no limit */
  constructor(access: FileAccess, roomBytes: number) {
    this.#access = access
    this.#roomBytes = roomBytes
  }

  /**
   * The message with size, media type and measures of its files as they are, whatever the sender states: rules for attachments are about
   * these. @throws Refusal `not_found` if the sender may not read one of them
   */
  async describe(actor: Actor, message: CheckedMessage): Promise<CheckedMessage> {
    const attachments: Attachment[] = []
    for (const [i, attachment] of message.input!.attachments!.entries())
      attachments.push(
        attachment.file === undefined
          ? attachment
          : described(attachment, await this.#access.require(actor, attachment.file, `attachments.${i}.file`)),
      )
    return rewritten(message, { attachments })
  }

  /** In the decision that writes the message to the room. @throws Refusal `not_found`, `too_large` */
  async ops(
    { directory }: Pick<Transaction, 'directory'>,
    actor: Actor,
    room: string,
    ids: readonly string[],
  ): Promise<Op[]> {
    const access = this.#access.with(directory)
    const files: FinishedFile[] = []
    for (const id of ids) files.push(await access.require(actor, id, 'attachments'))
    return files.length === 0 ? [] : countOps(directory, room, files, this.#roomBytes)
  }
}

function described(attachment: Attachment, file: FinishedFile): Attachment {
  const { name, mime, size, facts } = file
  const named = attachment.name === undefined && name !== null ? { name } : {}
  const isMeasured = facts?.width !== undefined || facts?.duration !== undefined
  return { ...(isMeasured ? unmeasured(attachment) : attachment), ...named, mime, size, ...factsView(file) }
}

/** Without what the broker has looked for in the file: what it has not found there is not in it. */
function unmeasured({ width: _, height: __, duration: ___, ...attachment }: Attachment): Attachment {
  return attachment
}

/** @throws Refusal `bad_request` where a file would have nobody who may read it */
export function requireNoFiles(input: MessageInput | null, where: string): void {
  if (hasFiles(input))
    throw new Refusal('bad_request', `${where} has attachments by url; a file is read by members of a room only`, {
      field: 'attachments',
    })
}
