import { useState } from 'preact/hooks'
import { accountTexts } from '../account/texts.js'
import { usePresent } from '../state/context.js'
import { texts } from '../text/text.js'
import { Problem } from '../ui/problem.js'
import { momentOf } from '../ui/times.js'
import { useSubmit } from '../ui/use-submit.js'
import { Loaded } from './loaded.js'
import { CodeField, PasswordField } from './password-field.js'
import { RecoveryCodes } from './recovery-codes.js'
import { secretProblem } from './secret-problem.js'
import { Section } from './section.js'
import { Step } from './step.js'
import { settingsTexts } from './texts.js'
import { TotpSetUp } from './totp-set-up.js'

type State = { at: 'rest' | 'setUp' | 'turnOff' } | { at: 'codes'; codes: readonly string[] }

/** Codes of an authenticator app, beside the password. */
export function TotpSection() {
  const t = settingsTexts.value
  const [state, setState] = useState<State>({ at: 'rest' })
  /** How many there were before. */
  const [steps, setSteps] = useState(0)
  const step = (next: State): void => {
    setState(next)
    setSteps(steps + 1)
  }
  const go = (at: 'rest' | 'setUp' | 'turnOff') => () => step({ at })
  return (
    <Section title={t.totp}>
      <Step key={steps} isNext={steps > 0}>
        {state.at === 'rest' && <AtRest go={go} />}
        {state.at === 'setUp' && <TotpSetUp isOn={(codes) => step({ at: 'codes', codes })} cancel={go('rest')} />}
        {state.at === 'codes' && <RecoveryCodes codes={state.codes} done={go('rest')} />}
        {state.at === 'turnOff' && <TurnOff done={go('rest')} cancel={go('rest')} />}
      </Step>
    </Section>
  )
}

function AtRest({ go }: { go: (at: 'setUp' | 'turnOff') => () => void }) {
  const t = settingsTexts.value
  const { chat } = usePresent()
  return (
    <Loaded ask={() => chat.ask.auth.totp.status({})}>
      {({ enabled, since, recoveryCodes }) => (
        <>
          <p>{enabled ? `${t.totpOn(momentOf(since ?? 0))} ${t.recoveryLeft(recoveryCodes)}` : t.totpOff}</p>
          <div>
            <button type="button" class="button" onClick={go(enabled ? 'turnOff' : 'setUp')}>
              {enabled ? t.turnOff : t.setUp}
            </button>
          </div>
        </>
      )}
    </Loaded>
  )
}

function TurnOff({ done, cancel }: { done: () => void; cancel: () => void }) {
  const t = settingsTexts.value
  const { chat } = usePresent()
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const { submit, isBusy, error } = useSubmit(async () => {
    await chat.ask.auth.totp.remove({ password, code: code.trim() })
    done()
  })
  return (
    <form class="form" onSubmit={submit}>
      <PasswordField label={t.oldPassword} value={password} change={setPassword} />
      <CodeField label={t.code} hint={accountTexts.value.codeHint} value={code} change={setCode} />
      <Problem error={error} tell={secretProblem} />
      <div class="settings-buttons">
        <button type="submit" class="button danger" aria-disabled={isBusy || password === '' || code.trim() === ''}>
          {t.turnOff}
        </button>
        <button type="button" class="button" onClick={cancel}>
          {texts.value.cancel}
        </button>
      </div>
    </form>
  )
}
