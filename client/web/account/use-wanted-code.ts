import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'

/** Whether a form asks for the code of a second factor, which an answer says, and what was wrong with what was sent. */
export function useWantedCode(error: ChatError | null, code: string) {
  const [isWanted, setWanted] = useState(false)
  const wantsIt = error?.code === 'unauthorized' && error.field === 'code'
  if (wantsIt && !isWanted) setWanted(true)
  // The first time it is asked for, nothing was wrong.
  return { isWanted, problem: wantsIt && code === '' ? null : error }
}
