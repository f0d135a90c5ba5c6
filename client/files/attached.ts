/** What an application attaches, as a message has it. */
import { MAX_FILE_NAME } from '../../schemas/file-paths.js'
import { ChatError } from '../base/chat-error.js'
import type { Attach, Attachment, LocalFile } from '../outbox/files.js'
import { ALL_FILES } from '../outbox/item.js'
import type { SendInput } from '../outbox/outgoing.js'
import type { AttachedInput } from '../outbox/uploads.js'

/** Attachments of a message. */
const MOST_ATTACHMENTS = 32
/** Kinds of attachments that media types begin with. */
const KIND = /^(image|audio|video)\//

/**
 * @param free Bytes that the outbox can take
 * @throws ChatError `bad_request`, `storage`
 */
export function attached(input: SendInput, attach: readonly Attach[], free: number): AttachedInput {
  const given = input.attachments ?? []
  if (given.length + attach.length > MOST_ATTACHMENTS)
    throw new ChatError('bad_request', `a message has at most ${MOST_ATTACHMENTS} attachments`, { field: ALL_FILES })
  const files = attach.map((one) => fileOf(one))
  const bytes = files.reduce((sum, { blob }) => sum + blob.size, 0)
  if (bytes > free)
    throw new ChatError(
      'storage',
      `the outbox has no space for ${bytes} bytes of files, but for ${free}: wait until others are sent, or cancel some`,
    )
  return {
    input: { ...input, attachments: [...given, ...files.map(({ attachment }) => attachment)] },
    files: files.map(({ name }, at) => ({ place: given.length + at, name })),
    blobs: files.map(({ blob }) => blob),
  }
}

function fileOf(one: Attach): { blob: Blob; name: string | undefined; attachment: Attachment } {
  const { bytes, name, type, attachment }: LocalFile = isBlob(one) ? { bytes: one, name: (one as File).name } : one
  if (!isBlob(bytes) && !ArrayBuffer.isView(bytes))
    throw new ChatError('bad_request', 'attach takes a Blob, a File, or { bytes, name, type }', { field: ALL_FILES })
  // What the caller changes later does not count.
  const blob = isBlob(bytes) ? bytes : new Blob([bytes as Uint8Array<ArrayBuffer>])
  const mime = (type ?? blob.type) || undefined
  const shown = name && [...name].slice(0, MAX_FILE_NAME).join('')
  const kind = KIND.exec(mime ?? '')?.[1] ?? 'file'
  const { size } = blob
  return {
    blob,
    name: shown,
    attachment: { type: kind, ...(shown && { name: shown }), ...(mime && { mime }), size, ...attachment },
  }
}

/** Also one of another window. */
function isBlob(value: unknown): value is Blob {
  return typeof (value as Partial<Blob> | null)?.arrayBuffer === 'function'
}
