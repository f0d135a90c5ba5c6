/** How rooms and messages are called in lists. */
import { directPeer } from '../../../schemas/ids.js'
import type { RoomInfo, RoomSummary } from '../../index.js'
import { texts } from '../text/text.js'
import { plainLine } from '../ui/plain.js'

type Last = RoomSummary['last']

export function titleOf(id: string, info: RoomInfo | null, me: string): string {
  const peer = peerOf(id, me)
  if (peer !== null) return plainLine(info?.peer?.name ?? '', peer)
  return plainLine(info?.name ?? '', id)
}

/** The other user of a conversation; null: it is a room. */
export function peerOf(id: string, me: string): string | null {
  return id.startsWith('dm:') ? directPeer(id, me) : null
}

/** A message on one line. */
export function previewOf(last: NonNullable<Last>): string {
  const t = texts.value
  if ('gone' in last) return t.gone[last.gone]
  if (last.text) return plainLine(last.text, '…')
  const [first] = last.attachments ?? []
  if (first) return plainLine(first.name ?? first.alt ?? '', t.attachment)
  if (last.type === 'location') return t.location
  return last.type === 'encrypted' ? t.encrypted : t.data
}
