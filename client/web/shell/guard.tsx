import type { ComponentChildren } from 'preact'
import { useEffect, useErrorBoundary } from 'preact/hooks'
import { closePanel } from '../state/panel.js'
import { texts } from '../text/text.js'
import { Empty } from '../ui/empty.js'

interface GuardProps {
  /** When it is another one, it is tried again. */
  readonly of: unknown
  readonly isPanel?: boolean
  readonly children: ComponentChildren
}

/** A page or a panel, which takes nothing else with it if it cannot be shown. */
export function Guard({ of, isPanel = false, children }: GuardProps) {
  const t = texts.value
  const [error, again] = useErrorBoundary((error: unknown) => console.error(error))
  useEffect(again, [of])
  if (error === undefined) return <>{children}</>
  return (
    <div class={isPanel ? 'panel' : 'empty'} role="alert">
      <Empty title={t.notShown} isBack={!isPanel}>
        <button type="button" class="button" onClick={isPanel ? closePanel : () => location.reload()}>
          {isPanel ? t.close : t.reload}
        </button>
      </Empty>
    </div>
  )
}
