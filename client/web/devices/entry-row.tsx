import type { ComponentChildren } from 'preact'
import { problemText } from '../text/problems.js'
import { Icon } from '../ui/icon.js'
import { useAct } from '../ui/use-act.js'

interface EntryRowProps {
  readonly children: ComponentChildren
  /** What the button says that takes it out. */
  readonly removes: string
  readonly remove: () => Promise<unknown>
  /** Called when that is done. */
  readonly removed: () => void
}

/** One of a list that the owner of the device keeps, with a button that takes it out. */
export function EntryRow({ children, removes, remove, removed }: EntryRowProps) {
  const { run, error } = useAct()
  const act = async (): Promise<void> => {
    if (await run(remove)) removed()
  }
  return (
    <li class="row">
      <div class="row-texts">
        {children}
        {error && <p class="error">{problemText(error)}</p>}
      </div>
      <button type="button" class="button quiet square" onClick={() => void act()} aria-label={removes} title={removes}>
        <Icon name="close" />
      </button>
    </li>
  )
}
