import type { ChatError } from '../../index.js'
import { problemText } from '../text/problems.js'

interface ProblemProps {
  readonly error: ChatError | null
  /** Where the place knows better what a code means. */
  readonly told?: Readonly<Record<string, string>>
  /** Where it knows better what any error means. */
  readonly tell?: (error: ChatError) => string
}

/** What was wrong, if something was. */
export function Problem({ error, told = {}, tell = problemText }: ProblemProps) {
  if (!error) return null
  return (
    <p class="error" role="alert">
      {told[error.code] ?? tell(error)}
    </p>
  )
}
