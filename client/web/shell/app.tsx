import { route } from '../state/router.js'
import { session } from '../state/session.js'
import { Announcer } from '../ui/announcer.js'
import { lazy } from '../ui/lazy.js'
import { Main } from './main.js'

/** Who comes back has no need of it. */
const Entrance = lazy(async () => ({ default: (await import('../account/entrance.js')).Entrance }))

export function App() {
  const present = session.value
  // Also for who is logged in: the link may be another one's.
  const isInside = present.state === 'in' && route.value.page !== 'reset'
  return (
    <>
      {isInside ? (
        <Main key={present.user} {...present} />
      ) : (
        <Entrance why={present.state === 'out' ? present.why : null} />
      )}
      <Announcer />
    </>
  )
}
