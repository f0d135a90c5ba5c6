import type { ComponentChildren } from 'preact'
import { AnswerView } from '../ui/answer-view.js'
import { useKept } from '../ui/use-kept.js'
import { useRequest } from '../ui/use-request.js'

interface LoadedProps<T> {
  readonly ask: () => Promise<T>
  /** Asked anew when it changes. */
  readonly version?: number
  readonly children: (value: T) => ComponentChildren
}

/** What has to be asked of the broker first. */
export function Loaded<T>({ ask, version = 0, children }: LoadedProps<T>) {
  const answer = useKept(useRequest(String(version), ask))
  return <AnswerView answer={answer}>{children}</AnswerView>
}
