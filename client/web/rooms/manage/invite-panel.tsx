import { Panel } from '../../ui/panel.js'
import { InviteLinks } from './invite-links.js'
import { InvitePeople } from './invite-people.js'
import { roomTexts } from './texts.js'

/** The ways into a room for those who are not in it: by name, and by link. */
export default function InvitePanel({ room }: { room: string }) {
  return (
    <Panel title={roomTexts.value.invitations}>
      <InvitePeople room={room} />
      <InviteLinks room={room} />
    </Panel>
  )
}
