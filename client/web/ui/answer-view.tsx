import type { ComponentChildren } from 'preact'
import { texts } from '../text/text.js'
import { Failed } from './failed.js'
import type { Answer } from './use-request.js'

interface AnswerViewProps<T> {
  readonly answer: Answer<T>
  /** Shows what was answered. */
  readonly children: (value: T) => ComponentChildren
}

/** What was asked for: that it is on its way, why it does not come, with a way to ask again, or what it is. */
export function AnswerView<T>({ answer, children }: AnswerViewProps<T>) {
  if (answer.state === 'loading') return <p class="loading late">{texts.value.loading}</p>
  if (answer.state === 'failed') return <Failed {...answer} />
  return <>{children(answer.value)}</>
}
