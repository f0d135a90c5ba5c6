import { signal } from '@preact/signals'
import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { useList } from '../../ui/use-pages.js'
import { may } from './rights.js'
import { useReported, useRoomNews } from './use-room-news.js'

/** Entries of one request: more are not counted. */
const MOST = 100

const NOTHING = { items: [], more: false } as const

/** Counts the reports that were decided here, of which the broker tells no event. */
export const decided = signal(0)

interface Pending {
  readonly requests: number
  readonly reports: number
}

/** How much waits for a moderator of the room, as it comes and goes. */
export function usePending(room: string, info: RoomInfo): Pending {
  const { chat } = usePresent()
  const mayAdmit = may(info, 'approve') && info.access === 'request'
  const requests = useList(`${room} ${mayAdmit}`, async (_, options) => {
    if (!mayAdmit) return NOTHING
    return { items: (await chat.ask.rooms.requests({ room, limit: MOST }, options)).requests, more: false }
  })
  const mayModerate = may(info, 'moderate')
  const reports = useList(`${room} ${mayModerate} ${decided.value}`, async (_, options) => {
    if (!mayModerate) return NOTHING
    return { items: (await chat.ask.reports.list({ room, limit: MOST }, options)).reports, more: false }
  })
  useRoomNews(room, ['requested', 'withdrawn', 'joined', 'denied'], requests.reload)
  useReported(room, reports.reload)
  return { requests: requests.items.length, reports: reports.items.length }
}
