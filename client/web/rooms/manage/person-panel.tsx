import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { AnswerView } from '../../ui/answer-view.js'
import { Panel } from '../../ui/panel.js'
import { dateOf } from '../../ui/times.js'
import { MemberActs } from './member-acts.js'
import { PersonAbout } from './person-about.js'
import { PersonActs } from './person-acts.js'
import { roomTexts } from './texts.js'
import { useMember } from './use-member.js'

/** A person, as a member of a room: who they are, and what the user may do about them. */
export default function PersonPanel({ room, user }: { room: string; user: string }) {
  const t = roomTexts.value
  const { chat, user: me } = usePresent()
  const info = signalOf(chat.room(room).info).value
  const answer = useMember(room, user)
  const isKnown = answer.state === 'done'
  const member = isKnown ? answer.value : null
  return (
    <Panel title={t.person}>
      <PersonAbout user={user}>
        <AnswerView answer={answer}>
          {(member) => (
            <p class="hint">{member ? `${t.roles[member.role]} · ${t.since(dateOf(member.since))}` : t.notMember}</p>
          )}
        </AnswerView>
      </PersonAbout>
      {user !== me && <PersonActs user={user} room={member ? room : undefined} />}
      {isKnown && <MemberActs room={room} info={info} user={user} role={member?.role ?? null} />}
    </Panel>
  )
}
