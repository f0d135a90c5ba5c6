import type { RoomPolicies } from '../../../../schemas/policies.js'
import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { useTurns } from '../../ui/use-turns.js'
import { ChoiceSetting, NumberSetting } from './setting.js'
import { roomTexts } from './texts.js'
import type { RoomChanges } from './use-save.js'

const SENDERS = ['allow', 'moderators', 'deny'] as const

/** What messages of the room may hold. What the server forbids, no room can allow. */
export function PolicySettings({ room, info }: { room: string; info: RoomInfo }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const inTurn = useTurns()
  const policies = info.policies ?? {}
  const senders = SENDERS.map((one) => [one, t.senders[one]] as const)
  /** The policies are one setting of the contract: those that are not changed go with those that are, as they are by then. */
  const changed = async (change: (now: RoomPolicies) => RoomPolicies): Promise<RoomChanges> => {
    const now = await chat.ask.rooms.get({ room })
    return { policies: change(now.policies ?? {}) }
  }
  return (
    <section class="section">
      <h3>{t.messages}</h3>
      <ChoiceSetting
        room={room}
        inTurn={inTurn}
        label={t.links}
        value={policies.links ?? 'allow'}
        options={senders}
        changes={(links) => changed((now) => ({ ...now, links }))}
      />
      <ChoiceSetting
        room={room}
        inTurn={inTurn}
        label={t.files}
        value={policies.files ?? 'allow'}
        options={senders}
        changes={(files) => changed((now) => ({ ...now, files }))}
      />
      <NumberSetting
        room={room}
        inTurn={inTurn}
        label={t.textLength}
        hint={t.textLengthHint}
        value={policies.textLength ?? null}
        changes={(most) =>
          changed(({ textLength: _, ...others }) => (most === null ? others : { ...others, textLength: most }))
        }
      />
    </section>
  )
}
