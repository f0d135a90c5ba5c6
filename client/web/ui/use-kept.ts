import { useRef } from 'preact/hooks'
import type { Answer } from './use-request.js'

/** What was there stays until it is answered anew, and the focus in it. */
export function useKept<T>(answer: Answer<T>): Answer<T> {
  const kept = useRef(answer)
  if (answer.state !== 'loading' || kept.current.state !== 'done') kept.current = answer
  return kept.current
}
