import type { RoomInfo } from '../../index.js'
import { texts } from '../text/text.js'

/** Why nothing can be written in a room; null: it can. */
export function whyNot(info: RoomInfo | null): string | null {
  const t = texts.value
  if (info?.archived) return t.archived
  const mayNot = info?.role === 'reader' || (info?.write === 'moderators' && info.role === 'member')
  return mayNot ? t.mayNotWrite : null
}
