import { useEffect, useRef } from 'preact/hooks'
import type { ChatEvents } from '../../../index.js'
import { usePresent } from '../../state/context.js'

/** Calls `hear` when something of the room is reported to the user. */
export function useReported(room: string, hear: () => void): void {
  const { chat } = usePresent()
  const newest = useRef(hear)
  newest.current = hear
  useEffect(() => chat.on('reported', (event) => event.room === room && newest.current()), [chat, room])
}

/** Calls `hear` when something of these `types` happens in the room. */
export function useRoomNews(
  room: string,
  types: readonly string[],
  hear: (event: ChatEvents['roomEvent']) => void,
): void {
  const { chat } = usePresent()
  const newest = useRef(hear)
  newest.current = hear
  useEffect(
    () =>
      chat.on('roomEvent', (event) => {
        if (event.room === room && types.includes(event.type)) newest.current(event)
      }),
    [chat, room],
  )
}
