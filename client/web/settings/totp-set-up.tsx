import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { entranceProblem } from '../account/entrance-problem.js'
import { usePresent } from '../state/context.js'
import { texts } from '../text/text.js'
import { CopyButton } from '../ui/copy-button.js'
import { Problem } from '../ui/problem.js'
import { useSubmit } from '../ui/use-submit.js'
import { CodeField, PasswordField } from './password-field.js'
import { QrCode } from './qr-code.js'
import { secretProblem } from './secret-problem.js'
import { Step } from './step.js'
import { settingsTexts } from './texts.js'

interface Key {
  readonly secret: string
  readonly uri: string
}

interface TotpSetUpProps {
  /** Called with the recovery codes when the second factor is on. */
  readonly isOn: (codes: readonly string[]) => void
  readonly cancel: () => void
}

/** The password, then the key for the app, then a code of it: so nobody turns on what they do not have. */
export function TotpSetUp({ isOn, cancel }: TotpSetUpProps) {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [key, setKey] = useState<Key | null>(null)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const { submit, isBusy, error } = useSubmit(async () => {
    if (key === null) setKey(await chat.ask.auth.totp.begin({ password }))
    else isOn((await chat.ask.auth.totp.confirm({ code: code.trim() })).recoveryCodes)
  })
  const isEmpty = key === null ? password === '' : code.trim() === ''
  return (
    <form class="form" onSubmit={submit}>
      {key === null ? (
        <PasswordField label={t.oldPassword} value={password} change={setPassword} />
      ) : (
        <Step isNext>
          <ShownKey {...key} />
          <CodeField label={t.enterCode} value={code} change={setCode} />
        </Step>
      )}
      <Problem error={error} tell={key === null ? secretProblem : codeProblem} />
      <div class="settings-buttons">
        <button type="submit" class="button primary" aria-disabled={isBusy || isEmpty}>
          {key === null ? t.continue : t.turnOn}
        </button>
        <button type="button" class="button" onClick={cancel}>
          {texts.value.cancel}
        </button>
      </div>
    </form>
  )
}

/** What is too short for a code is a wrong one. */
function codeProblem(error: ChatError): string {
  return error.code === 'bad_request' ? texts.value.problems.code : entranceProblem(error)
}

function ShownKey({ secret, uri }: Key) {
  const t = settingsTexts.value
  return (
    <>
      <p>{t.scan}</p>
      <QrCode text={uri} label={t.qr} />
      <p class="settings-row">
        <span class="settings-row-texts">
          <span class="hint">{t.key}</span>
          <code dir="ltr">{secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
        </span>
        <CopyButton label={t.copy} copied={t.copied} text={secret} />
      </p>
    </>
  )
}
