import { useState } from 'preact/hooks'
import { register } from '../state/login.js'
import { fragment, navigate, pathTo } from '../state/router.js'
import { enter } from '../state/session.js'
import { Field } from '../ui/field.js'
import { Problem } from '../ui/problem.js'
import { useSubmit } from '../ui/use-submit.js'
import { entranceProblem } from './entrance-problem.js'
import { secretOf } from './fragment.js'
import { accountTexts } from './texts.js'
import { useNeeded } from './use-needed.js'
import { UserField } from './user-field.js'

/** Another invitation is another form. @param registration What the server allows; null: it has not said yet */
export function RegisterForm({ registration }: { registration: string | null }) {
  const t = accountTexts.value
  const [user, setUser] = useState('')
  const [password, setPassword] = useState('')
  const [isRefused, setRefused] = useState(false)
  const [typed, setTyped] = useState('')
  const needsInvite = registration === 'invite'
  const asksInvite = isRefused || (needsInvite && fragment.value === '')
  const invite = asksInvite ? secretOf(typed) : fragment.value
  const { isWhole, missing } = useNeeded({ user, password, ...(needsInvite ? { invite } : {}) })
  const { submit, isBusy, error } = useSubmit(async () => {
    enter(await register({ user: user.trim(), password, ...(invite === '' ? {} : { invite }) }))
    navigate(pathTo('home'), { replace: true })
  }, isWhole)
  if (error?.field === 'invite' && !isRefused) setRefused(true)
  if (registration === 'closed') return <p class="notice">{t.registrationClosed}</p>
  const errorOf = (field: 'user' | 'password' | 'invite'): string | null =>
    missing(field) ?? (error?.field === field ? entranceProblem(error) : null)
  const isElsewhere = error && !['user', 'password', asksInvite && 'invite'].includes(error.field ?? '')
  return (
    <form class="form" onSubmit={submit} noValidate>
      {needsInvite && !asksInvite && <p class="notice">{t.invited}</p>}
      <UserField hint={t.userHint} error={errorOf('user')} value={user} change={setUser} />
      <Field
        label={t.password}
        hint={t.passwordHint}
        error={errorOf('password')}
        value={password}
        change={setPassword}
        input={{ type: 'password', name: 'password', autocomplete: 'new-password', required: true }}
      />
      {asksInvite && (
        <Field
          label={t.invite}
          hint={t.inviteHint}
          error={errorOf('invite')}
          value={typed}
          change={setTyped}
          input={{ name: 'invite', autocomplete: 'off', spellcheck: false, required: true }}
        />
      )}
      <Problem error={isElsewhere ? error : null} tell={entranceProblem} />
      <button type="submit" class="button primary" aria-disabled={isBusy}>
        {t.register}
      </button>
    </form>
  )
}
