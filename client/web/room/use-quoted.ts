import { type ReadonlySignal, useComputed } from '@preact/signals'
import { usePresent } from '../state/context.js'
import { type Quoted, quotedMessages } from './quoted.js'
import { useView } from './view.js'

/** A message that is spoken of: as it is now, if the timeline shows it. @param seq Null: none is */
export function useQuoted(seq: number | null): ReadonlySignal<Quoted> {
  const { chat } = usePresent()
  const { room, bySeq } = useView()
  // The number of a row never changes; that of a composer makes it anew (`key`).
  return useComputed(() => {
    if (seq === null) return null
    const item = bySeq.value.get(seq)
    return item && item.kind !== 'gap' ? item.message : quotedMessages(chat).of(room.id, seq).value
  })
}
