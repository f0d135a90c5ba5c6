import type { ComponentType, FunctionComponent } from 'preact'
import { useEffect, useReducer, useState } from 'preact/hooks'
import { isOutdated, lookForVersion } from '../state/version.js'
import { texts } from '../text/text.js'

/**
 * A component of a chunk that is loaded when it is first shown. What is loaded stays, so that it is shown at once the next time.
 * @param load `() => import('./x.js')`; the component is its default export
 * @param isAside Nobody waits for it: nothing is shown until it is there
 */
export function lazy<P extends object>(
  load: () => Promise<{ readonly default: ComponentType<P> }>,
  isAside = false,
): FunctionComponent<P> {
  let Loaded: ComponentType<P> | null = null
  return function Lazy(props: P) {
    const [, showLoaded] = useReducer((count: number) => count + 1, 0)
    const [isFailed, setFailed] = useState(false)
    const [fails, countFail] = useReducer((count: number) => count + 1, 0)
    const start = async (): Promise<void> => {
      setFailed(false)
      try {
        Loaded ??= (await load()).default
        showLoaded(undefined)
      } catch {
        // A server that was updated has the parts of this version no more.
        await lookForVersion().catch(() => {})
        setFailed(true)
        countFail(undefined)
      }
    }
    useEffect(() => void (Loaded ?? start()), [])
    if (Loaded) return <Loaded {...props} />
    if (isAside) return null
    return isFailed ? <NotLoaded retry={fails > 1 ? null : () => void start()} /> : <Waiting />
  }
}

/** Said only to who has to wait: styles show it after 300 ms. */
function Waiting() {
  return <p class="loading late">{texts.value.loading}</p>
}

/** @param retry Null: it was of no use. Some browsers remember that a part could not be loaded as long as the page is there. */
function NotLoaded({ retry }: { retry: (() => void) | null }) {
  const t = texts.value
  const again = isOutdated.value ? null : retry
  return (
    <div class="empty" role="alert">
      <p>{isOutdated.value ? t.newVersion : t.notLoaded}</p>
      <button type="button" class="button" onClick={again ?? (() => location.reload())}>
        {again ? t.retry : t.reload}
      </button>
    </div>
  )
}
