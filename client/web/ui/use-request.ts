import { useContext, useEffect, useState } from 'preact/hooks'
import { ChatError } from '../../index.js'
import { Context } from '../state/context.js'

export type Answer<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'done'; readonly value: T }
  | { readonly state: 'failed'; readonly error: ChatError; readonly again: () => void }

const LOADING = { state: 'loading' } as const
/** What may be otherwise when there is a network, or a connection, again. */
const HEALS: ReadonlySet<ChatError['code']> = new Set(['offline', 'timeout', 'closed', 'unavailable'])

/**
 * Asks when `key` changes; what is answered to an earlier one is forgotten. What failed for want of a connection is asked again when there is one,
 * and by `again`.
 */
export function useRequest<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Answer<T> {
  const chat = useContext(Context)?.chat
  const [tries, setTries] = useState(0)
  const [answer, setAnswer] = useState<{ readonly key: string; readonly answer: Answer<T> }>({ key, answer: LOADING })
  const failure = answer.answer.state === 'failed' ? answer.answer.error.code : null
  const again = (): void => {
    setAnswer((was) => ({ ...was, answer: LOADING }))
    setTries((count) => count + 1)
  }
  useEffect(() => {
    if (failure === null || !HEALS.has(failure)) return
    addEventListener('online', again)
    const stop = chat?.status.subscribe(({ state }) => void (state === 'online' && again()))
    return () => {
      removeEventListener('online', again)
      stop?.()
    }
  }, [failure])
  useEffect(() => {
    const stop = new AbortController()
    const tell = (now: Answer<T>): void => {
      if (!stop.signal.aborted) setAnswer({ key, answer: now })
    }
    ask(stop.signal).then(
      (value) => tell({ state: 'done', value }),
      (error: unknown) => tell({ state: 'failed', error: asChatError(error), again }),
    )
    return () => stop.abort()
  }, [key, tries])
  return answer.key === key ? answer.answer : LOADING
}

export function asChatError(error: unknown): ChatError {
  return error instanceof ChatError ? error : new ChatError('internal', String(error), { cause: error })
}
