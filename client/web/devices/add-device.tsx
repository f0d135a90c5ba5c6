import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { Dialog } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { useAddress } from '../ui/use-address.js'
import { useSubmit } from '../ui/use-submit.js'
import type { GivenKey } from './credentials.js'
import { deviceTexts } from './texts.js'

export function AddDevice({ added, close }: { added: (key: GivenKey) => void; close: () => void }) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const [name, setName] = useState('')
  const [id, setId] = useAddress(name, 'device')
  const { submit, isBusy, error } = useSubmit(async () => {
    const device = id.trim()
    const { key } = await chat.ask.devices.register({ device, ...(name.trim() && { name: name.trim() }) })
    added({ device, token: key })
  })
  return (
    <Dialog title={t.add} close={close}>
      <form class="form" onSubmit={submit} noValidate>
        <Field label={t.name} value={name} change={setName} input={{ maxLength: 128, dir: 'auto' }} />
        <Field
          label={t.id}
          hint={t.idHint}
          error={error && whyNot(error)}
          value={id}
          change={setId}
          input={{ maxLength: 128, autocapitalize: 'none', spellcheck: false, required: true, dir: 'ltr' }}
        />
        <div class="actions">
          <button type="submit" class="button primary" disabled={isBusy || id.trim() === ''}>
            {t.add}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function whyNot(error: ChatError): string {
  const t = deviceTexts.value
  if (error.code === 'conflict') return t.idTaken
  return error.code === 'bad_request' ? t.badId : problemText(error)
}
