import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { asChatError } from './use-request.js'

/** What a press does: whether it is under way, and what was wrong with it. One at a time. */
export function useAct() {
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ChatError | null>(null)
  /** Resolves with whether it was done. */
  const run = async (act: () => Promise<unknown>): Promise<boolean> => {
    if (isBusy) return false
    setBusy(true)
    setError(null)
    try {
      await act()
      return true
    } catch (problem) {
      setError(asChatError(problem))
      return false
    } finally {
      setBusy(false)
    }
  }
  return { run, isBusy, error }
}
