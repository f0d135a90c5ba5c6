import { useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { problemText } from '../text/problems.js'
import { confirm } from '../ui/confirm.js'
import { Dialog } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { Menu } from '../ui/menu.js'
import { showToast } from '../ui/toast.js'
import { asChatError } from '../ui/use-request.js'
import { useSubmit } from '../ui/use-submit.js'
import type { GivenKey } from './credentials.js'
import { deviceTexts } from './texts.js'

interface DeviceMenuProps {
  readonly device: string
  readonly title: string
  readonly may: 'read' | 'control' | 'own'
  readonly given: (key: GivenKey) => void
  /** The user has nothing to do with the device any more. */
  readonly gone: () => void
}

export function DeviceMenu({ device, title, may, given, gone }: DeviceMenuProps) {
  const t = deviceTexts.value
  const { chat, user } = usePresent()
  const { devices } = chat.ask
  const [isGiving, setGiving] = useState(false)
  const guarded = (act: () => Promise<void>) => () =>
    void act().catch((error: unknown) => showToast(problemText(asChatError(error))))
  const newKey = guarded(async () => {
    if (!(await confirm({ title: t.newKeyAsk, text: t.newKeyText, yes: t.newKey }))) return
    given({ device, token: (await devices.key({ device })).key })
  })
  const remove = guarded(async () => {
    const question = { title: t.removeAsk(title), text: t.removeText, yes: t.remove, isDanger: true }
    if (!(await confirm(question))) return
    await devices.remove({ device })
    gone()
  })
  const leave = guarded(async () => {
    await devices.unshare({ device, user })
    gone()
  })
  const items =
    may === 'own'
      ? [
          { text: t.newKey, act: newKey },
          { text: t.give, act: () => setGiving(true) },
          { text: t.remove, act: remove, isDanger: true },
        ]
      : [{ text: t.leave, act: leave, isDanger: true }]
  return (
    <>
      <Menu label={t.menuOf(title)} icon="more" items={items} />
      {isGiving && <Give device={device} close={() => setGiving(false)} />}
    </>
  )
}

function Give({ device, close }: { device: string; close: () => void }) {
  const t = deviceTexts.value
  const { chat } = usePresent()
  const [user, setUser] = useState('')
  const { submit, isBusy, error } = useSubmit(async () => {
    const to = user.trim().replace(/^@/, '')
    await chat.ask.devices.transfer({ device, user: to })
    showToast(t.offered(to))
    close()
  })
  return (
    <Dialog title={t.give} close={close}>
      <form class="form" onSubmit={submit} noValidate>
        <Field
          label={t.person}
          hint={t.giveHint}
          error={error && problemText(error)}
          value={user}
          change={setUser}
          input={{ autocapitalize: 'none', spellcheck: false, autocomplete: 'off', dir: 'auto' }}
        />
        <div class="actions">
          <button type="submit" class="button primary" disabled={isBusy || user.trim() === ''}>
            {t.give}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
