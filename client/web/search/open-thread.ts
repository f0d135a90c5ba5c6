import { openPanel } from '../state/panel.js'
import { navigate, pathTo, step } from '../state/router.js'

/** Goes to the message that began a thread, with the thread beside it. */
export function openThread(room: string, seq: number): void {
  const before = step.peek()
  navigate(pathTo('message', { room, seq }))
  // Of one step, unless the message is what is shown already: then «back» leads to what stood beside it.
  openPanel({ kind: 'thread', room, seq }, { replace: step.peek() !== before })
}
