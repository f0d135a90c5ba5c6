import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { Avatar } from './avatar.js'

/** Of a user, as their profile has it now. */
export function PersonAvatar({
  user,
  size = 'medium',
}: {
  user: string
  size?: 'tiny' | 'small' | 'medium' | 'large'
}) {
  const { chat } = usePresent()
  const profile = signalOf(chat.users.profile(user)).value
  return <Avatar id={user} name={profile?.name ?? user} picture={profile?.avatar} size={size} />
}
