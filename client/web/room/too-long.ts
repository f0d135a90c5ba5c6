import type { RoomInfo } from '../../index.js'
import type { Server } from '../state/server.js'

/** Of a message besides its text. */
const REST = 2048

/** Characters of a text that are too many for one message; 0: none are, as far as is known. */
export function excessOf(text: string, server: Server | null, info: RoomInfo | null): number {
  const most = Math.min(info?.policies?.textLength ?? Infinity, server?.policies.textLength ?? Infinity)
  const length = [...text].length
  const space = (server?.limits.payloadBytes ?? Infinity) - REST
  // Of another script a character may be several bytes; in JSON a line end is two.
  const bytes = text.length * 6 > space ? new TextEncoder().encode(JSON.stringify(text)).length : 0
  const beyond = bytes > space ? Math.ceil((length * (bytes - space)) / bytes) : 0
  return Math.max(beyond, length - most, 0)
}
