import { useState } from 'preact/hooks'
import { brand } from '../state/brand.js'
import { isKept, open } from '../state/login.js'
import { fragment, navigate, pathTo, route, routeOf } from '../state/router.js'
import type { Session } from '../state/session.js'
import { keepWanted, wanted } from '../state/wanted.js'
import { Failed } from '../ui/failed.js'
import { Link } from '../ui/link.js'
import { Name } from '../ui/name.js'
import { useRequest } from '../ui/use-request.js'
import { LogInForm } from './log-in-form.js'
import { Preferences } from './preferences.js'
import { ProviderLogin } from './provider-login.js'
import { RegisterForm } from './register-form.js'
import { ResetForm } from './reset-form.js'
import { accountTexts } from './texts.js'

type LoginInfo = Awaited<ReturnType<typeof open.server.info>>['login']

/** What there is for those who are not logged in. */
export function Entrance({ why }: Pick<Extract<Session, { state: 'out' }>, 'why'>) {
  const t = accountTexts.value
  const info = useRequest('info', () => open.server.info({}))
  const [wasReset, setWasReset] = useState(false)
  const login = info.state === 'done' ? info.value.login : null
  const { page } = route.value
  const title = page === 'register' ? t.register : page === 'reset' ? t.setPassword : t.logIn
  const news = page === 'reset' ? null : wasReset ? t.wasReset : why && t.loggedOut[why]
  const resetDone = (): void => {
    setWasReset(true)
    navigate(pathTo('logIn'), { replace: true })
  }
  return (
    <div class="entrance">
      <main class="entrance-card">
        <header class="entrance-header">
          {brand.logo !== '' && <img class="logo" src={brand.logo} alt="" width="56" height="56" />}
          <h1>
            <Name text={brand.name} />
          </h1>
          <h2>{title}</h2>
        </header>
        {news !== null && (
          <p class="notice" role="status">
            {news}
          </p>
        )}
        {page !== 'reset' && <ToJoin />}
        {page === 'register' && <RegisterForm key={fragment.value} registration={login?.registration ?? null} />}
        {page === 'reset' && <ResetForm key={fragment.value} done={resetDone} />}
        {page !== 'register' && page !== 'reset' && <LogIn login={login} />}
        {info.state === 'failed' && page !== 'reset' && <Failed {...info} />}
        {!isKept && <p class="notice">{t.notKept}</p>}
        <OtherWay isLogIn={page !== 'register' && page !== 'reset'} registration={login?.registration ?? null} />
      </main>
      <footer class="entrance-footer">
        <Preferences />
      </footer>
    </div>
  )
}

/** What somebody came for who was given a link into a room, which says nothing of itself to strangers. */
function ToJoin() {
  const { page, parts } = routeOf(new URL(wanted(), location.href).pathname)
  const { room } = parts
  return page === 'join' && room !== undefined ? <p class="notice">{accountTexts.value.toJoin(room)}</p> : null
}

/** @param login What the server allows; null: it has not said yet */
function LogIn({ login }: { login: LoginInfo | null }) {
  return (
    <>
      <LogInForm />
      <ProviderLogin provider={login?.oidc ?? null} />
      <p class="other-way">
        <Link to={pathTo('reset')} follow={keepWanted}>
          {accountTexts.value.forgotten}
        </Link>
      </p>
    </>
  )
}

/** Reserved, so that nothing moves when the server has said what it allows. */
function OtherWay({ isLogIn, registration }: { isLogIn: boolean; registration: string | null }) {
  const t = accountTexts.value
  if (!isLogIn)
    return (
      <p class="other-way">
        {t.haveAccount}{' '}
        <Link to={pathTo('logIn')} follow={keepWanted}>
          {t.logIn}
        </Link>
      </p>
    )
  if (registration === null) return <p class="other-way">&nbsp;</p>
  if (registration === 'closed') return <p class="other-way">{t.registrationClosed}</p>
  return (
    <p class="other-way">
      {t.newHere}{' '}
      <Link to={pathTo('register')} follow={keepWanted}>
        {t.register}
      </Link>
    </p>
  )
}
