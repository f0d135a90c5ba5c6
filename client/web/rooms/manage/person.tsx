import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { plainLine } from '../../ui/plain.js'

/** How a user is called, as far as it is known. */
export function useNameOf(user: string): string {
  const { chat } = usePresent()
  return plainLine(signalOf(chat.users.profile(user)).value?.name ?? '', user)
}

/** The name of a user within a sentence. */
export function PersonName({ user }: { user: string }) {
  return <bdi>{useNameOf(user)}</bdi>
}
