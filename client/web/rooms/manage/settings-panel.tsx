import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { texts } from '../../text/text.js'
import { Empty } from '../../ui/empty.js'
import { Panel } from '../../ui/panel.js'
import { durationOf } from '../../ui/times.js'
import { dialogTexts } from '../texts.js'
import { EndOfRoom } from './end-of-room.js'
import { PolicySettings } from './policy-settings.js'
import { may } from './rights.js'
import { RoomPicture } from './room-picture.js'
import { ChoiceSetting, NumberSetting, TextSetting } from './setting.js'
import { roomTexts } from './texts.js'

/** Seconds between two messages. */
const WAITS = ['0', '5', '10', '30', '60', '300', '900', '3600', '86400'] as const

/** What owners and admins of a room may change; each setting is saved by itself. */
export default function SettingsPanel({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const info = signalOf(chat.room(room).info).value
  return (
    <Panel title={t.settings}>
      {info && may(info, 'update') ? (
        <>
          <Settings room={room} info={info} />
          <PolicySettings room={room} info={info} />
          <EndOfRoom room={room} info={info} />
        </>
      ) : (
        <Empty title={texts.value.problems.forbidden} />
      )}
    </Panel>
  )
}

function Settings({ room, info }: { room: string; info: RoomInfo }) {
  const t = roomTexts.value
  const { accesses } = dialogTexts.value
  const waits = [...new Set([...WAITS, String(info.slowMode)])].sort((a, b) => Number(a) - Number(b))
  return (
    <section class="section">
      <RoomPicture room={room} info={info} />
      <TextSetting room={room} name="name" label={t.name} value={info.name} most={128} />
      <TextSetting room={room} name="topic" label={t.topic} value={info.topic} most={1024} />
      <ChoiceSetting
        room={room}
        label={t.who}
        value={info.access}
        options={(['public', 'request', 'private'] as const).map((one) => [one, accesses[one]] as const)}
        changes={(access) => ({ access })}
      />
      <ChoiceSetting
        room={room}
        label={t.whoWrites}
        value={info.write}
        options={(['members', 'moderators'] as const).map((one) => [one, t.writers[one]] as const)}
        changes={(write) => ({ write })}
      />
      <ChoiceSetting
        room={room}
        label={t.slowMode}
        hint={t.slowModeHint}
        value={String(info.slowMode)}
        options={waits.map((one) => [one, one === '0' ? t.off : durationOf(Number(one))] as const)}
        changes={(wait) => ({ slowMode: Number(wait) })}
      />
      <NumberSetting
        room={room}
        label={t.maxMembers}
        hint={t.maxMembersHint}
        value={info.maxMembers}
        changes={(maxMembers) => ({ maxMembers })}
      />
    </section>
  )
}
