import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { pathTo } from '../../state/router.js'
import { texts } from '../../text/text.js'
import { Avatar } from '../../ui/avatar.js'
import { CopyButton } from '../../ui/copy-button.js'
import { Name } from '../../ui/name.js'
import { durationOf } from '../../ui/times.js'
import { titleOf } from '../titles.js'
import { roomTexts } from './texts.js'

/** Name, topic, address, and what holds for those who come and write. */
export function RoomAbout({ room, info }: { room: string; info: RoomInfo }) {
  const t = roomTexts.value
  const { user } = usePresent()
  const title = titleOf(room, info, user)
  const rules = [
    t.access[info.access],
    info.archived && t.archived,
    !info.archived && info.write === 'moderators' && t.onlyModerators,
    info.slowMode > 0 && t.slow(durationOf(info.slowMode)),
  ].filter((rule) => rule !== false)
  return (
    <section class="portrait">
      <Avatar id={room} name={title} picture={info.avatar} size="large" />
      <h3>
        <Name text={title} />
      </h3>
      {info.topic && (
        <p>
          <Name text={info.topic} />
        </p>
      )}
      <p class="hint">{[texts.value.members(info.members), ...rules].join(' · ')}</p>
      <p class="address">
        <span class="hidden-text">{t.address}</span>
        <bdi dir="ltr">{room}</bdi>
        <CopyButton text={location.origin + pathTo('room', { room })} label={t.copyAddress} copied={t.copied} />
      </p>
    </section>
  )
}
