import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { RoomInfo } from '../../index.js'
import { peerOf, titleOf } from '../rooms/titles.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { useTitle } from '../state/title.js'
import { lazy } from '../ui/lazy.js'
import { Composer } from './composer.js'
import { RoomHeader } from './room-header.js'
import { TimelineView } from './timeline-view.js'
import { useMissed } from './use-missed.js'
import { View, ViewProvider } from './view.js'

const Stranger = lazy(() => import('./stranger.js'))

/** One room: what it is, its messages, and a place to write. @param at The seq of a message to show; null: where the reader left off */
export function RoomPage({ id, at }: { id: string; at: number | null }) {
  const { chat, user } = usePresent()
  const info = signalOf(chat.room(id).info).value
  const title = titleOf(id, info, user)
  useTitle(title)
  const isOnline = signalOf(chat.status).value.state === 'online'
  // A conversation begins with its first message.
  if (!info && isOnline && peerOf(id, user) === null) return <Stranger key={id} id={id} />
  // The header stays where another room takes the place of this one; what it keeps of a room has that for its key.
  return (
    <>
      <RoomHeader id={id} info={info} title={title} />
      <Conversation key={id} id={id} info={info} title={title} at={at} />
    </>
  )
}

interface ConversationProps {
  readonly id: string
  readonly info: RoomInfo | null
  readonly title: string
  readonly at: number | null
}

function Conversation({ id, info, title, at }: ConversationProps) {
  const { chat, user } = usePresent()
  /** Counts what was sent from here. */
  const sent = useSignal(0)
  const view = useMemo(() => new View(chat.room(id), user), [])
  useMissed(view)
  return (
    <ViewProvider value={view}>
      <TimelineView view={view} at={at} sent={sent} />
      <Composer view={view} info={info} title={title} sent={() => sent.value++} />
    </ViewProvider>
  )
}
