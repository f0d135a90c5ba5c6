import { useState } from 'preact/hooks'
import { logIn } from '../state/login.js'
import { enter } from '../state/session.js'
import { Field } from '../ui/field.js'
import { Problem } from '../ui/problem.js'
import { useSubmit } from '../ui/use-submit.js'
import { entranceProblem } from './entrance-problem.js'
import { accountTexts } from './texts.js'
import { useNeeded } from './use-needed.js'
import { useWantedCode } from './use-wanted-code.js'
import { UserField } from './user-field.js'

export function LogInForm() {
  const t = accountTexts.value
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const { isWhole, missing } = useNeeded({ user, password })
  const { submit, isBusy, error } = useSubmit(
    async () => enter(await logIn({ user: user.trim(), password, code: code.trim() })),
    isWhole,
  )
  const { isWanted, problem } = useWantedCode(error, code)
  return (
    <form class="form" onSubmit={submit} noValidate>
      <UserField error={missing('user')} value={user} change={setUser} />
      <Field
        label={t.password}
        error={missing('password')}
        value={password}
        change={setPassword}
        input={{ type: 'password', name: 'password', autocomplete: 'current-password', required: true }}
      />
      {isWanted && (
        <Field
          label={t.code}
          hint={t.codeHint}
          value={code}
          change={setCode}
          input={{ name: 'code', autocomplete: 'one-time-code', inputmode: 'text', spellcheck: false }}
        />
      )}
      <Problem error={problem} tell={entranceProblem} />
      <button type="submit" class="button primary" aria-disabled={isBusy}>
        {t.logIn}
      </button>
    </form>
  )
}
