import { useState } from 'preact/hooks'
import { usePresent } from '../../state/context.js'
import { announce } from '../../ui/announcer.js'
import { Dialog } from '../../ui/dialog.js'
import { Field } from '../../ui/field.js'
import { Problem } from '../../ui/problem.js'
import { SelectField } from '../../ui/select-field.js'
import { useSubmit } from '../../ui/use-submit.js'
import { roomTexts } from './texts.js'

const REASONS = ['spam', 'harassment', 'inappropriate', 'illegal', 'other'] as const

/** What is reported: a message of a room, or a person. */
type Target = { readonly room: string; readonly seq: number } | { readonly user: string; readonly room?: string }

export function ReportDialog({ target, close }: { target: Target; close: () => void }) {
  const t = roomTexts.value
  const { chat } = usePresent()
  const [reason, setReason] = useState<(typeof REASONS)[number]>('spam')
  const [text, setText] = useState('')
  const { submit, isBusy, error } = useSubmit(async () => {
    await chat.ask.reports.create({ ...target, reason, ...(text.trim() && { text: text.trim() }) })
    announce(t.reported)
    close()
  })
  return (
    <Dialog title={t.report} close={close}>
      <form class="form" onSubmit={submit}>
        <p class="hint">{t.reportTo}</p>
        <SelectField
          label={t.reportReason}
          value={reason}
          change={setReason}
          options={REASONS.map((one) => [one, t.reportReasons[one]] as const)}
        />
        <Field
          label={t.reportText}
          hint={t.optional}
          value={text}
          change={setText}
          input={{ maxLength: 1000, dir: 'auto' }}
        />
        <Problem error={error} />
        <div class="actions">
          <button type="submit" class="button primary" aria-disabled={isBusy}>
            {t.sendReport}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
