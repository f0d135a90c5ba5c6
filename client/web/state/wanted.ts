/** What a person came for who has to log in or to register first. */
import { navigate, route } from './router.js'

/** An address of the app with its fragment, as long as another page stands in its place. */
let kept: string | null = null

/** Before another page of the entrance is shown. */
export function keepWanted(): void {
  if (isWanted()) kept = location.pathname + location.hash
}

/** The address that is wanted; that of the page itself, if it is. */
export function wanted(): string {
  return isWanted() || kept === null ? location.pathname + location.hash : kept
}

/** Shows it, now that the person is logged in. */
export function goToWanted(): void {
  if (kept !== null && !isWanted()) navigate(kept, { replace: true })
  kept = null
}

/** The pages of the entrance are not what somebody comes for. */
function isWanted(): boolean {
  const { page } = route.peek()
  return page !== 'home' && page !== 'logIn' && page !== 'register' && page !== 'reset'
}
