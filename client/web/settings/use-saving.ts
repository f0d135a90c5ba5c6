import { useState } from 'preact/hooks'
import type { ChatError } from '../../index.js'
import { asChatError } from '../ui/use-request.js'

export interface Saving {
  readonly at: 'rest' | 'busy' | 'saved' | 'failed'
  readonly error: ChatError | null
}

const REST: Saving = { at: 'rest', error: null }

/** Of a setting that saves itself: `save` resolves with whether it is saved. */
export function useSaving() {
  const [saving, setSaving] = useState(REST)
  const save = async (act: () => Promise<unknown>): Promise<boolean> => {
    setSaving({ at: 'busy', error: null })
    try {
      await act()
      setSaving({ at: 'saved', error: null })
      return true
    } catch (error) {
      setSaving({ at: 'failed', error: asChatError(error) })
      return false
    }
  }
  return { saving, save, rest: () => setSaving(REST) }
}
