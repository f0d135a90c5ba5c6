import { useState } from 'preact/hooks'
import type { CommandResult } from '../../../schemas/commands.js'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { Field } from '../ui/field.js'
import { Name } from '../ui/name.js'
import { SelectField } from '../ui/select-field.js'
import { useSubmit } from '../ui/use-submit.js'
import { EntryRow } from './entry-row.js'
import { Part } from './part.js'
import { deviceTexts } from './texts.js'

type Share = CommandResult<'devices.get'>['shares'][number]

interface SharesProps {
  readonly device: string
  readonly shares: readonly Share[]
  readonly changed: () => void
}

/** Who else may look at the device, or send it commands. */
export function Shares({ device, shares, changed }: SharesProps) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  return (
    <Part title={t.sharing}>
      {shares.length === 0 && <p class="hint">{t.notShared}</p>}
      <ul class="rows">
        {shares.map(({ user, may }) => (
          <EntryRow
            key={user}
            removes={t.unshare(user)}
            remove={() => chat.ask.devices.unshare({ device, user })}
            removed={changed}
          >
            <strong>
              <Name text={user} />
            </strong>
            <p class="hint">{t.mays[may]}</p>
          </EntryRow>
        ))}
      </ul>
      <ShareForm device={device} changed={changed} />
    </Part>
  )
}

function ShareForm({ device, changed }: { device: string; changed: () => void }) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const [user, setUser] = useState('')
  const [may, setMay] = useState<Share['may']>('read')
  const { submit, isBusy, error } = useSubmit(async () => {
    await chat.ask.devices.share({ device, user: user.trim().replace(/^@/, ''), may })
    setUser('')
    changed()
  })
  return (
    <form class="inline-form" onSubmit={submit} noValidate>
      <Field
        label={t.person}
        error={error && problemText(error)}
        value={user}
        change={setUser}
        input={{ autocapitalize: 'none', spellcheck: false, autocomplete: 'off', dir: 'auto' }}
      />
      <SelectField
        label={t.may}
        value={may}
        change={setMay}
        options={[
          ['read', t.mays.read],
          ['control', t.mays.control],
        ]}
      />
      <button type="submit" class="button" disabled={isBusy || user.trim() === ''}>
        {t.share}
      </button>
    </form>
  )
}
