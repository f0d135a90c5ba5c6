import type { RoomInfo } from '../../../index.js'
import { openPanel } from '../../state/panel.js'
import { numberOf } from '../../ui/numbers.js'
import { roomTexts } from './texts.js'
import { usePending } from './use-pending.js'

/** In the header of a room: that something waits for a moderator, and the way there. */
export default function PendingBadge({ room, info }: { room: string; info: RoomInfo }) {
  const t = roomTexts.value
  const { requests, reports } = usePending(room, info)
  if (requests + reports === 0) return null
  const kind = reports === 0 ? 'joinRequests' : requests === 0 ? 'reports' : 'room'
  const said = [
    requests > 0 && `${t.requests}: ${t.waiting(requests)}`,
    reports > 0 && `${t.reports}: ${t.open(reports)}`,
  ]
    .filter(Boolean)
    .join(', ')
  return (
    <button type="button" class="button quiet square" title={said} onClick={() => openPanel({ kind, room })}>
      <span class="badge" aria-hidden="true">
        {numberOf(requests + reports)}
      </span>
      <span class="hidden-text">{said}</span>
    </button>
  )
}
