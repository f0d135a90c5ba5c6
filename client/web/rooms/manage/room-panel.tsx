import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { texts } from '../../text/text.js'
import { Empty } from '../../ui/empty.js'
import { Panel } from '../../ui/panel.js'
import { peerOf } from '../titles.js'
import { LeaveRoom } from './leave.js'
import { NotifyChoice } from './notify-choice.js'
import { PersonAbout } from './person-about.js'
import { PersonActs } from './person-acts.js'
import { RoomAbout } from './room-about.js'
import { RoomEntries } from './room-entries.js'
import { RoomRights } from './room-rights.js'
import { roomTexts } from './texts.js'

/** What a room or a conversation is, and the way to all that can be done with it. */
export default function RoomPanel({ room }: { room: string }) {
  const { user } = usePresent()
  const peer = peerOf(room, user)
  return peer === null ? <OfRoom room={room} /> : <OfConversation room={room} peer={peer} />
}

function OfRoom({ room }: { room: string }) {
  const { chat } = usePresent()
  const info = signalOf(chat.room(room).info).value
  return (
    <Panel title={texts.value.aboutRoom}>
      {!info && <Empty title={roomTexts.value.youAreNone} />}
      {info && (
        <>
          <RoomAbout room={room} info={info} />
          <RoomEntries room={room} info={info} />
          <NotifyChoice room={room} />
          <RoomRights role={info.role} />
          <LeaveRoom room={room} info={info} />
        </>
      )}
    </Panel>
  )
}

function OfConversation({ room, peer }: { room: string; peer: string }) {
  const { user } = usePresent()
  return (
    <Panel title={texts.value.aboutPerson}>
      <PersonAbout user={peer} />
      <NotifyChoice room={room} />
      {peer !== user && <PersonActs user={peer} isHere />}
    </Panel>
  )
}
