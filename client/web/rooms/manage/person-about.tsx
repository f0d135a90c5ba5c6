import type { ComponentChildren } from 'preact'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { texts } from '../../text/text.js'
import { Name } from '../../ui/name.js'
import { PersonAvatar } from '../../ui/person-avatar.js'
import { momentOf } from '../../ui/times.js'
import { useNameOf } from './person.js'
import { roomTexts } from './texts.js'

/** Who a person is: name, user name, and whether they are there. */
export function PersonAbout({ user, children }: { user: string; children?: ComponentChildren }) {
  const name = useNameOf(user)
  const { chat } = usePresent()
  const about = signalOf(chat.users.profile(user)).value?.fields['about']
  return (
    <section class="portrait">
      <PersonAvatar user={user} size="large" />
      <h3>
        <Name text={name} fallback={user} />
      </h3>
      <p class="hint">
        <bdi dir="ltr">@{user}</bdi>
      </p>
      {typeof about === 'string' && (
        <p>
          <Name text={about} />
        </p>
      )}
      <Presence user={user} />
      {children}
    </section>
  )
}

function Presence({ user }: { user: string }) {
  const { chat } = usePresent()
  const presence = signalOf(chat.users.presence(user)).value
  // Of users whose presence one may not see there is nothing to say.
  if (!presence || (presence.state === 'offline' && presence.lastSeen === null)) return null
  const isSeen = presence.state === 'offline' && presence.lastSeen !== null
  return (
    <p>
      {isSeen ? roomTexts.value.lastSeen(momentOf(presence.lastSeen!)) : texts.value.presence[presence.state]}
      {presence.status && (
        <>
          {' · '}
          <Name text={presence.status} />
        </>
      )}
    </p>
  )
}
