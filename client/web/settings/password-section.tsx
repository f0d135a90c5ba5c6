import { useState } from 'preact/hooks'
import { accountTexts } from '../account/texts.js'
import { useWantedCode } from '../account/use-wanted-code.js'
import { usePresent } from '../state/context.js'
import { changePassword } from '../state/login.js'
import { Problem } from '../ui/problem.js'
import { useSubmit } from '../ui/use-submit.js'
import { CodeField, PasswordField } from './password-field.js'
import { secretProblem } from './secret-problem.js'
import { Section } from './section.js'
import { settingsTexts } from './texts.js'

/** Another password. All other logins end with it. */
export function PasswordSection() {
  const t = settingsTexts.value
  const { user, chat } = usePresent()
  const [old, setOld] = useState('')
  const [next, setNext] = useState('')
  const [code, setCode] = useState('')
  const [isDone, setDone] = useState(false)
  const { submit, isBusy, error } = useSubmit(async () => {
    setDone(false)
    await changePassword(user, chat, { old, new: next, ...(code.trim() === '' ? {} : { code: code.trim() }) })
    for (const clear of [setOld, setNext, setCode]) clear('')
    setDone(true)
  })
  const { isWanted, problem } = useWantedCode(error, code)
  return (
    <Section title={t.password}>
      <form class="form" onSubmit={submit}>
        <input type="text" name="username" autocomplete="username" value={user} hidden readOnly />
        <PasswordField label={t.oldPassword} value={old} change={setOld} />
        <PasswordField label={t.newPassword} hint={t.newPasswordHint} isNew value={next} change={setNext} />
        {isWanted && <CodeField label={t.code} hint={accountTexts.value.codeHint} value={code} change={setCode} />}
        <Problem error={problem} tell={secretProblem} />
        {isDone && (
          <p class="notice" role="status">
            {t.passwordChanged}
          </p>
        )}
        <div>
          <button type="submit" class="button" aria-disabled={isBusy || old === '' || next === ''}>
            {t.changePassword}
          </button>
        </div>
      </form>
    </Section>
  )
}
