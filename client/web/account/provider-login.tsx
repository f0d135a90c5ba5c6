import { useEffect, useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { finishAtProvider, goToProvider, isBackFromProvider } from '../state/provider.js'
import { navigate } from '../state/router.js'
import { enter } from '../state/session.js'
import { Problem } from '../ui/problem.js'
import { useAct } from '../ui/use-act.js'
import { useSubmit } from '../ui/use-submit.js'
import { entranceProblem } from './entrance-problem.js'
import { accountTexts } from './texts.js'

interface ProviderLoginProps {
  /** Null: the server has none, or has not said so yet. */
  readonly provider: { readonly start: string; readonly name: string | null } | null
}

/** The way in by an identity provider, and back from it, which needs nothing but the address. */
export function ProviderLogin({ provider }: ProviderLoginProps) {
  const t = accountTexts.value
  const [isBack] = useState(isBackFromProvider)
  const { submit, isBusy, error } = useSubmit(async () => {
    if (provider) await goToProvider(provider.start)
  })
  const back = useAct()
  useEffect(() => {
    if (isBack) void back.run(comeIn)
  }, [])
  const problem = error ?? (isBusy ? null : back.error)
  if (!provider && !problem) return null
  return (
    <form class="provider" onSubmit={submit}>
      {provider && (
        <>
          <p class="or">{t.or}</p>
          <button type="submit" class="button" aria-disabled={isBusy || back.isBusy}>
            {t.logInWith(provider.name)}
          </button>
        </>
      )}
      <Problem error={problem} tell={providerProblem} />
    </form>
  )
}

async function comeIn(): Promise<void> {
  const { user, path } = await finishAtProvider()
  enter(user)
  navigate(path, { replace: true })
}

function providerProblem(error: ChatError): string {
  const isOfLogin = error.code === 'unauthorized' || error.code === 'forbidden'
  return isOfLogin ? accountTexts.value.notConfirmed : entranceProblem(error)
}
