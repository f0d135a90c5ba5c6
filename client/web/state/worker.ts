/** The service worker, which opens the app without a network. Browsers have it over https, and over http on `localhost`. */
import { WORKER_PATH, WORKER_POLICY } from '../../../schemas/web-paths.js'
import { navigate } from './router.js'

/** Of lib.dom, where it is not yet. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

/** Ms after which it is started in any case. */
const LATEST = 10_000

/** When the page has nothing better to do: it loads all that the app may need later. */
export function startWorker(): void {
  if (!('serviceWorker' in navigator)) return
  navigator.serviceWorker.addEventListener('message', ({ data }) => navigate((data as { open: string }).open))
  // Safari has no idle callback.
  if ('requestIdleCallback' in window) requestIdleCallback(register, { timeout: LATEST })
  else setTimeout(register, 2000)
}

function register(): void {
  // A browser that keeps nothing refuses it: the app goes on without.
  navigator.serviceWorker.register(trustedPath(), { updateViaCache: 'none' }).catch(() => {})
}

/** The browser takes the address from the policy alone. */
function trustedPath(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  const rules = {
    createScriptURL(url: string) {
      if (url !== WORKER_PATH) throw new TypeError(`no script of this app: ${url}`)
      return url
    },
  }
  return (trustedTypes?.createPolicy(WORKER_POLICY, rules) ?? rules).createScriptURL(WORKER_PATH)
}
