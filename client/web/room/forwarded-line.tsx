import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { pathTo } from '../state/router.js'
import { texts } from '../text/text.js'
import { Icon } from '../ui/icon.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'

/** Who said it first, and where, as far as the reader may go there. */
export function ForwardedLine({ forwarded }: { forwarded: NonNullable<FoldedMessage['forwarded']> }) {
  const { chat } = usePresent()
  const { from, room, seq } = forwarded
  const name = signalOf(chat.users.profile(from)).value?.name
  const origin = (
    <>
      {texts.value.forwardedFrom} <Name text={name} fallback={from} />
    </>
  )
  return (
    <p class="forwarded">
      <Icon name="onward" mirrored />
      {room !== undefined && seq !== undefined ? (
        <Link to={pathTo('message', { room, seq })}>{origin}</Link>
      ) : (
        <span>{origin}</span>
      )}
    </p>
  )
}
