import { useState } from 'preact/hooks'
import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { signalOf } from '../../state/live.js'
import { AnswerView } from '../../ui/answer-view.js'
import { Field } from '../../ui/field.js'
import { Problem } from '../../ui/problem.js'
import { useAct } from '../../ui/use-act.js'
import { useRequest } from '../../ui/use-request.js'
import { useSubmit } from '../../ui/use-submit.js'
import { PersonName } from './person.js'
import { roomTexts } from './texts.js'

/** How a user comes into a room that is not archived: by an invitation, by themselves, or by asking. */
export function WaysIn({ id, info }: { id: string; info: RoomInfo }) {
  const { chat } = usePresent()
  const invitation = signalOf(chat.invitations).value.find(({ room }) => room === id)
  if (invitation) return <Invited id={id} by={invitation.by} />
  if (info.access === 'request') return <Request id={id} />
  return (
    <>
      <p>{roomTexts.value.youAreNone}</p>
      <Join id={id} />
    </>
  )
}

function Join({ id, link }: { id: string; link?: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { submit, isBusy, error } = useSubmit(async () => void (await chat.room(id).join(link)))
  return (
    <form class="way-in" onSubmit={submit}>
      <Problem error={error} told={{ conflict: t.problems.full, forbidden: t.problems.notIn }} />
      <button type="submit" class="button primary" aria-disabled={isBusy}>
        {roomTexts.value.join}
      </button>
    </form>
  )
}

function Invited({ id, by }: { id: string; by: string }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  return (
    <>
      <p>
        {t.invitedBy} <PersonName user={by} />
      </p>
      <Join id={id} />
      <button
        type="button"
        class="button"
        aria-disabled={isBusy}
        onClick={() => void run(() => chat.ask.rooms.decline({ room: id }))}
      >
        {t.decline}
      </button>
      <Problem error={error} />
    </>
  )
}

/** Who has asked waits, and can take it back. */
function Request({ id }: { id: string }) {
  const { chat } = usePresent()
  const [turn, setTurn] = useState(0)
  const asked = useRequest(`${id} ${turn}`, async (signal) => {
    const { requests } = await chat.ask.rooms.requested({ limit: 1000 }, { signal })
    return requests.some(({ room }) => room === id)
  })
  const again = (): void => setTurn(turn + 1)
  return (
    <AnswerView answer={asked}>
      {(isAsked) => (isAsked ? <Asked id={id} withdrawn={again} /> : <Ask id={id} done={again} />)}
    </AnswerView>
  )
}

function Asked({ id, withdrawn }: { id: string; withdrawn: () => void }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const withdraw = async (): Promise<void> => {
    await chat.ask.rooms.withdraw({ room: id })
    withdrawn()
  }
  return (
    <>
      <p class="notice" role="status">
        {t.youAsked}
      </p>
      <button type="button" class="button" aria-disabled={isBusy} onClick={() => void run(withdraw)}>
        {t.takeBack}
      </button>
      <Problem error={error} />
    </>
  )
}

function Ask({ id, done }: { id: string; done: () => void }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const [message, setMessage] = useState('')
  const { submit, isBusy, error } = useSubmit(async () => {
    await chat.ask.rooms.request({ room: id, ...(message.trim() && { message: message.trim() }) })
    done()
  })
  return (
    <form class="way-in" onSubmit={submit}>
      <p>{t.askHint}</p>
      <Field
        label={t.askMessage}
        hint={t.optional}
        value={message}
        change={setMessage}
        input={{ maxLength: 500, dir: 'auto', autocomplete: 'off' }}
      />
      <Problem error={error} told={{ forbidden: t.problems.notIn }} />
      <button type="submit" class="button primary" aria-disabled={isBusy}>
        {t.ask}
      </button>
    </form>
  )
}
