import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Chat, Drafts } from '../../index.js'

/** Who is logged in, and their client. */
export interface Present {
  readonly user: string
  readonly chat: Chat
  /** What they have written and not sent. */
  readonly drafts: Drafts
}

export const Context = createContext<Present | null>(null)

export const PresentProvider = Context.Provider

/** Of everything below `Main`. */
export function usePresent(): Present {
  const present = useContext(Context)
  if (!present) throw new Error('nobody is logged in')
  return present
}
