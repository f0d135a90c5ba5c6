import type { ChatError } from '../../index.js'
import { problemText } from '../text/problems.js'
import { settingsTexts } from './texts.js'
import type { Saving } from './use-saving.js'

interface SaveStateProps {
  readonly saving: Saving
  /** What went wrong, where the setting knows better. */
  readonly problem?: (error: ChatError) => string
}

/** What became of a change. It has its line also before there is one, so that nothing moves. */
export function SaveState({ saving: { at, error }, problem = problemText }: SaveStateProps) {
  const t = settingsTexts.value
  if (error)
    return (
      <p class="error save-state" role="alert">
        {problem(error)}
      </p>
    )
  return (
    <p class="hint save-state" role="status">
      {at === 'busy' && t.saving}
      {at === 'saved' && `✓ ${t.saved}`}
    </p>
  )
}
