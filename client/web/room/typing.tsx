import type { Room } from '../../index.js'
import { signalOf } from '../state/live.js'
import { texts } from '../text/text.js'

/** Who is typing. Its place is always there, so that nothing moves. */
export function Typing({ room }: { room: Room }) {
  const users = signalOf(room.typing).value
  return <p class="typing">{users.length > 0 && <bdi>{texts.value.typing(users)}</bdi>}</p>
}
