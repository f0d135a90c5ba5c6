import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { Avatar } from '../../ui/avatar.js'
import { PictureChoice } from '../../ui/picture-choice.js'
import { Problem } from '../../ui/problem.js'
import { titleOf } from '../titles.js'
import { roomTexts } from './texts.js'
import { useSave } from './use-save.js'

/** The picture of a room. */
export function RoomPicture({ room, info }: { room: string; info: RoomInfo }) {
  const t = roomTexts.value
  const { user } = usePresent()
  const { save, error } = useSave(room)
  return (
    <div class="setting">
      <div class="in-line">
        <Avatar id={room} name={titleOf(room, info, user)} picture={info.avatar} size="large" />
        <PictureChoice
          picture={info.avatar}
          texts={t.picture}
          change={(make) => save(async () => ({ avatar: await make() }))}
        />
      </div>
      <Problem error={error} told={{ bad_request: t.picture.notPicture }} />
    </div>
  )
}
