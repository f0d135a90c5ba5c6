/** Why the broker did not take a message: what of it the policies of the room, or those of the server, do not allow. */
import type { ChatError, RoomInfo } from '../../index.js'
import { limitsOf } from '../files/limits.js'
import type { Server } from '../state/server.js'
import { problemText } from '../text/problems.js'
import { texts } from '../text/text.js'
import { refusalTexts } from './texts.js'
import { whyNot } from './why-not.js'

export interface Refused {
  readonly error: ChatError
  readonly text: string | undefined
  readonly info: RoomInfo | null
  readonly server: Server | null
}

export function refusalText(refused: Refused): string {
  const { code, field } = refused.error
  const why = code === 'forbidden' ? forbiddenText(refused) : code === 'too_large' ? tooLargeText(refused, field) : null
  return why ?? problemText(refused.error)
}

/** Null: no more is known than that it is not allowed. */
function forbiddenText(refused: Refused): string | null {
  const { error, info, server } = refused
  const { field } = error
  if (field === undefined) return whyNot(info)
  const t = refusalTexts.value
  if (field === 'text') return isOfLinks(refused) ? t.links : t.words
  if (field === 'mentions') return t.mentions
  if (field === 'data') return t.data
  if (field === 'attachments') return t.files
  const [, part] = /^attachments\.\d+\.(.+)$/.exec(field) ?? []
  if (part === undefined) return null
  // Where files are allowed, this one was found to be harmful.
  if (part === 'file') return limitsOf(server, info).most === 0 ? t.files : null
  return part === 'mime' ? t.fileKind : part === 'url' ? t.filePlace : t.data
}

function tooLargeText({ info, server }: Refused, field = ''): string | null {
  const t = refusalTexts.value
  if (field === 'text') return texts.value.tooLong
  if (field === 'attachments') return t.tooManyFiles(limitsOf(server, info).most)
  return /^attachments\.\d+\.size$/.test(field) ? t.fileSize : null
}

/** The broker refuses words in the same way as links: these are what the policies name, in a text that has what may be one. */
function isOfLinks({ info, server, text = '' }: Refused): boolean {
  const leads = info?.role === 'owner' || info?.role === 'admin' || info?.role === 'moderator'
  const isRefused = [server?.policies.links, info?.policies?.links].some(
    (links) => links === 'deny' || (links === 'moderators' && !leads),
  )
  return isRefused && /[.。:]\S/u.test(text)
}
