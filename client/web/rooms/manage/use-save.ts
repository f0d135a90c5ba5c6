import type { CommandParams } from '../../../../schemas/commands.js'
import { usePresent } from '../../state/context.js'
import { announce } from '../../ui/announcer.js'
import { useAct } from '../../ui/use-act.js'
import type { InTurn } from '../../ui/use-turns.js'
import { roomTexts } from './texts.js'

export type RoomChanges = Omit<CommandParams<'rooms.update'>, 'room' | 'user' | 'role'>

/** Saves what has changed of a room: `save` resolves with whether it is saved. @param inTurn Of settings that are saved one after the other */
export function useSave(room: string, inTurn: InTurn = (act) => act()) {
  const { chat } = usePresent()
  const { run, isBusy, error } = useAct()
  const save = (make: () => RoomChanges | Promise<RoomChanges>): Promise<boolean> =>
    run(() =>
      inTurn(async () => {
        await chat.ask.rooms.update({ room, ...(await make()) })
        announce(roomTexts.value.saved)
      }),
    )
  return { save, isBusy, error }
}
