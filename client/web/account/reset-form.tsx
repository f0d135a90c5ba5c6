import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { resetPassword } from '../state/login.js'
import { fragment } from '../state/router.js'
import { Field } from '../ui/field.js'
import { Problem } from '../ui/problem.js'
import { useSubmit } from '../ui/use-submit.js'
import { entranceProblem } from './entrance-problem.js'
import { secretOf } from './fragment.js'
import { accountTexts } from './texts.js'
import { useNeeded } from './use-needed.js'

/**
 * For who has forgotten their password: the broker sends no mail, so a link comes from an administrator. Another link is another form.
 * @param done Called when it is set
 */
export function ResetForm({ done }: { done: () => void }) {
  const t = accountTexts.value
  const given = fragment.value
  const [isRefused, setRefused] = useState(false)
  const [typed, setTyped] = useState('')
  const [password, setPassword] = useState('')
  const isAsked = given === '' || isRefused
  const token = isAsked ? secretOf(typed) : given
  const { isWhole, missing } = useNeeded({ token, password })
  const { submit, isBusy, error } = useSubmit(async () => {
    await resetPassword({ token, password })
    done()
  }, isWhole)
  if (error && !isRefused && isOfToken(error)) setRefused(true)
  const ofPassword = error?.field === 'password' ? entranceProblem(error) : null
  return (
    <form class="form" onSubmit={submit} noValidate>
      {isAsked && <p class="notice">{t.resetHint}</p>}
      {isAsked && (
        <Field
          label={t.resetCode}
          error={missing('token')}
          value={typed}
          change={setTyped}
          input={{ name: 'token', autocomplete: 'off', spellcheck: false, required: true }}
        />
      )}
      <Field
        label={t.newPassword}
        hint={t.passwordHint}
        error={missing('password') ?? ofPassword}
        value={password}
        change={setPassword}
        input={{ type: 'password', name: 'password', autocomplete: 'new-password', required: true }}
      />
      <Problem error={ofPassword === null ? error : null} tell={resetProblem} />
      <button type="submit" class="button primary" aria-disabled={isBusy}>
        {t.setPassword}
      </button>
    </form>
  )
}

function isOfToken({ code, field }: ChatError): boolean {
  return field === 'token' || code === 'unauthorized'
}

function resetProblem(error: ChatError): string {
  return isOfToken(error) ? accountTexts.value.badReset : entranceProblem(error)
}
