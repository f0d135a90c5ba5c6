import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { openPanel } from '../../state/panel.js'
import { texts } from '../../text/text.js'
import { dialogTexts } from '../texts.js'
import { may } from './rights.js'
import { roomTexts } from './texts.js'

/** In a room without messages: what to do next. */
export default function FirstWords({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const info = signalOf(chat.room(room).info).value
  return (
    <>
      <h2>{texts.value.beginning}</h2>
      <p>{t.sayHello}</p>
      {may(info, 'invite') && (
        <button type="button" class="button" onClick={() => openPanel({ kind: 'invite', room })}>
          {dialogTexts.value.invitePeople}
        </button>
      )}
    </>
  )
}
