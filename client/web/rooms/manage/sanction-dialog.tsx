import { useState } from 'preact/hooks'
import { usePresent } from '../../state/context.js'
import { Dialog } from '../../ui/dialog.js'
import { Field } from '../../ui/field.js'
import { Problem } from '../../ui/problem.js'
import { SelectField } from '../../ui/select-field.js'
import { durationOf } from '../../ui/times.js'
import { useSubmit } from '../../ui/use-submit.js'
import { roomTexts } from './texts.js'

/** Seconds. */
const LENGTHS = ['900', '3600', '86400', '604800', '2592000'] as const

interface SanctionDialogProps {
  readonly kind: 'mute' | 'ban'
  readonly room: string
  readonly user: string
  readonly name: string
  readonly close: () => void
}

/** Mutes or bans a person, for a time. */
export function SanctionDialog({ kind, room, user, name, close }: SanctionDialogProps) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const isBan = kind === 'ban'
  const [length, setLength] = useState<string>(isBan ? '' : '3600')
  const [reason, setReason] = useState('')
  const { submit, isBusy, error } = useSubmit(async () => {
    const sentence = { room, user, ...(length === '' ? {} : { for: Number(length) }) }
    if (isBan) await chat.ask.rooms.ban({ ...sentence, ...(reason.trim() && { reason: reason.trim() }) })
    else await chat.ask.rooms.mute(sentence)
    close()
  })
  const lengths = [...LENGTHS.map((one) => [one, durationOf(Number(one))] as const), ['', t.forGood] as const]
  return (
    <Dialog title={isBan ? t.banAsk(name) : t.muteAsk(name)} close={close}>
      <form class="form" onSubmit={submit}>
        <p class="hint">{isBan ? t.banHint : t.muteHint}</p>
        <SelectField label={t.howLong} value={length} change={setLength} options={lengths} />
        {isBan && (
          <Field
            label={t.reason}
            hint={t.reasonHint}
            value={reason}
            change={setReason}
            input={{ maxLength: 500, dir: 'auto' }}
          />
        )}
        <Problem error={error} told={{ conflict: t.problems.lastOwner }} />
        <div class="actions">
          <button type="submit" class="button danger" aria-disabled={isBusy}>
            {isBan ? t.ban : t.muteMember}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
