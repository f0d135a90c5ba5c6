import { useState } from 'preact/hooks'
import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { navigate } from '../../state/router.js'
import { Field } from '../../ui/field.js'
import { Problem } from '../../ui/problem.js'
import { useAct } from '../../ui/use-act.js'
import { useSubmit } from '../../ui/use-submit.js'
import { may } from './rights.js'
import { roomTexts } from './texts.js'

/** Archives a room, or deletes it. */
export function EndOfRoom({ room, info }: { room: string; info: RoomInfo }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const archive = (): void => void run(() => chat.ask.rooms.update({ room, archived: !info.archived }))
  return (
    <>
      <section class="section">
        <h3>{t.archive}</h3>
        <p class="hint">{t.archiveHint}</p>
        <div class="in-line">
          <button type="button" class="button" aria-disabled={isBusy} onClick={archive}>
            {info.archived ? t.unarchive : t.archive}
          </button>
        </div>
        <Problem error={error} />
      </section>
      {may(info, 'delete') && <DeleteRoom room={room} />}
    </>
  )
}

/** Who types the address knows which room it is. */
function DeleteRoom({ room }: { room: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const [typed, setTyped] = useState('')
  const { submit, isBusy, error } = useSubmit(async () => {
    await chat.ask.rooms.delete({ room })
    navigate('/', { replace: true })
  })
  return (
    <section class="section">
      <h3>{t.delete}</h3>
      <p class="hint">{t.deleteHint}</p>
      <form class="form" onSubmit={submit} noValidate>
        <Field
          label={t.deleteType(room)}
          value={typed}
          change={setTyped}
          input={{ dir: 'ltr', autocomplete: 'off', autocapitalize: 'none', spellcheck: false }}
        />
        <Problem error={error} />
        <div class="actions">
          <button type="submit" class="button danger" aria-disabled={isBusy || typed.trim() !== room}>
            {t.delete}
          </button>
        </div>
      </form>
    </section>
  )
}
