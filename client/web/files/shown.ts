/** How the files of a message are shown. */
import type { Attachment, Outgoing } from '../../index.js'

/** An attachment with its bytes, as long as it is on its way. */
export interface Shown {
  readonly key: number
  readonly attachment: Attachment
  readonly bytes: Blob | null
}

/** Characters of what a picture shows, in words. */
export const MAX_ALT = 1024

type Kind = 'picture' | 'video' | 'audio' | 'file' | 'link'

const PICTURE = /^image\/(jpeg|png|gif|webp|avif)$/
const VIDEO = /^video\/(mp4|webm|ogg)$/
const AUDIO = /^audio\/(mpeg|mp4|ogg|wav|webm|x-wav|wave)$/

/** What is elsewhere is not loaded by this page: it would tell its server who reads. */
export function kindOf({ attachment, bytes }: Shown): Kind {
  const { file, mime = '' } = attachment
  if (file === undefined && bytes === null) return 'link'
  const [type = ''] = mime.split(';')
  // Recorders put sound alone into what may be a film by its bytes.
  if (attachment.type === 'audio' && (AUDIO.test(type) || VIDEO.test(type))) return 'audio'
  if (PICTURE.test(type)) return 'picture'
  if (VIDEO.test(type)) return 'video'
  return AUDIO.test(type) ? 'audio' : 'file'
}

export function shownOf(attachments: readonly Attachment[], outgoing: Outgoing | undefined): Shown[] {
  const waiting = outgoing?.attachments ?? []
  // They are the last ones of the message.
  const first = attachments.length - waiting.length
  return attachments.map((attachment, key) => ({
    key,
    attachment,
    bytes: (waiting[key - first] as Blob | undefined) ?? null,
  }))
}
