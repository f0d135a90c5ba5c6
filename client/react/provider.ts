import { createContext, createElement, type ReactElement, type ReactNode, useContext } from 'react'
import type { Chat } from '../index.js'

const ChatContext = /* @__PURE__ */ createContext<Chat | null>(null)

export interface ChatProviderProps {
  /** Stays the application's: it is neither connected nor closed here. */
  readonly chat: Chat
  readonly children?: ReactNode
}

/** Gives the client to the hooks of all components below. */
export function ChatProvider({ chat, children }: ChatProviderProps): ReactElement {
  return createElement(ChatContext.Provider, { value: chat }, children)
}

/** @throws Error there is no `ChatProvider` above */
export function useChat(): Chat {
  const chat = useContext(ChatContext)
  if (!chat) throw new Error('useChat: there is no ChatProvider above this component')
  return chat
}
