import { useSignal, useSignalEffect } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { Composer } from '../room/composer.js'
import { TimelineView } from '../room/timeline-view.js'
import { View, ViewProvider } from '../room/view.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { texts as shared } from '../text/text.js'
import { Panel } from '../ui/panel.js'
import { showToast } from '../ui/toast.js'
import { FollowButton } from './follow-button.js'

/** The replies to one message, and a place to write one. @param at The reply to begin at; left out: the last one */
export default function ThreadPanel({ room: id, seq, at = null }: { room: string; seq: number; at?: number | null }) {
  const { chat, user } = usePresent()
  const room = chat.room(id)
  const view = useMemo(() => new View(room, user, seq), [room, user, seq])
  const info = signalOf(room.info).value
  /** Counts what was sent from here. */
  const sent = useSignal(0)
  const title = shared.value.thread
  // What is answered may be a message of the room.
  useSignalEffect(() => {
    const missed = view.missed.value
    view.missed.value = null
    if (missed === null) return
    if (missed === at) showToast(shared.value.notHere)
    else view.showInRoom(missed)
  })
  return (
    <Panel title={title} tools={<FollowButton room={id} thread={seq} />}>
      <ViewProvider value={view}>
        <TimelineView view={view} at={at} sent={sent} />
        <Composer view={view} info={info} title={title} sent={() => sent.value++} />
      </ViewProvider>
    </Panel>
  )
}
