import type { RoomInfo } from '../../../index.js'
import { openPanel } from '../../state/panel.js'
import { Icon } from '../../ui/icon.js'
import { numberOf } from '../../ui/numbers.js'
import { may } from './rights.js'
import { roomTexts } from './texts.js'
import { usePending } from './use-pending.js'

/** The other panels of the room, as far as the user may open them. */
export function RoomEntries({ room, info }: { room: string; info: RoomInfo }) {
  const t = roomTexts.value
  const pending = usePending(room, info)
  const entries = [
    { kind: 'members', text: t.members, isThere: true, more: numberOf(info.members) },
    {
      kind: 'joinRequests',
      text: t.requests,
      isThere: may(info, 'approve') && info.access === 'request',
      more: pending.requests > 0 ? t.waiting(pending.requests) : '',
    },
    {
      kind: 'reports',
      text: t.reports,
      isThere: may(info, 'moderate'),
      more: pending.reports > 0 ? t.open(pending.reports) : '',
    },
    { kind: 'invite', text: t.invitations, isThere: may(info, 'invite'), more: '' },
    { kind: 'bans', text: t.bans, isThere: may(info, 'ban'), more: '' },
    { kind: 'roomSettings', text: t.settings, isThere: may(info, 'update'), more: '' },
  ] as const
  return (
    <ul class="entries">
      {entries
        .filter(({ isThere }) => isThere)
        .map(({ kind, text, more }) => (
          <li key={kind}>
            <button type="button" class="entry" onClick={() => openPanel({ kind, room })}>
              <span>{text}</span>
              {more && <span class="hint">{more}</span>}
              <Icon name="forward" mirrored />
            </button>
          </li>
        ))}
    </ul>
  )
}
