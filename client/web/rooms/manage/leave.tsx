import type { RoomInfo } from '../../../index.js'
import { usePresent } from '../../state/context.js'
import { Problem } from '../../ui/problem.js'
import { useAct } from '../../ui/use-act.js'
import { leaveRoom } from '../leave-room.js'
import { dialogTexts } from '../texts.js'

export function LeaveRoom({ room, info }: { room: string; info: RoomInfo }) {
  const { leave } = dialogTexts.value
  const { chat, user } = usePresent()
  const { run, isBusy, error } = useAct()
  const act = (): void => void run(() => leaveRoom(chat, user, room, info))
  return (
    <section class="section">
      <button type="button" class="button danger" aria-disabled={isBusy} onClick={act}>
        {leave.room}
      </button>
      <Problem error={error} told={{ conflict: leave.lastOwner }} />
    </section>
  )
}
