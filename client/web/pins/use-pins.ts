import { useEffect, useState } from 'preact/hooks'
import type { FoldedMessage } from '../../../schemas/commands/shown-message.js'
import type { ChatError } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { asChatError } from '../ui/use-request.js'

/** Pinned messages that are shown. */
const MOST = 50

export interface Pins {
  /** The newest message first; null: they are not known yet. */
  readonly all: readonly FoldedMessage[] | null
  readonly error: ChatError | null
}

/** The pinned messages of a room, asked for with each connection, and when `key` changes. */
export function usePins(room: string, key = ''): Pins {
  const { chat } = usePresent()
  const isOnline = signalOf(chat.status).value.state === 'online'
  const [pins, setPins] = useState<Pins>({ all: null, error: null })
  useEffect(() => {
    if (!isOnline) return
    const stop = new AbortController()
    const { signal } = stop
    const ask = chat.ask.history({ room, pinned: true, view: 'folded', limit: MOST }, { signal })
    ask.then(
      ({ messages }) => {
        const all = messages.filter((one): one is FoldedMessage => !('gone' in one)).reverse()
        if (!signal.aborted) setPins({ all, error: null })
      },
      (error: unknown) => {
        if (!signal.aborted) setPins(({ all }) => ({ all, error: asChatError(error) }))
      },
    )
    return () => stop.abort()
  }, [room, key, isOnline])
  return pins
}
