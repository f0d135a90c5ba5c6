/** What a room leaves with its deletion, in the commit of that: its records and its logs, so that one made anew begins with nothing. */
import type { DirectoryStore } from '../../store/directory.js'
import { dropLog, type Op } from '../../store/op.js'
import { logs } from '../model/views.js'

export function roomDeletionOps(directory: Pick<DirectoryStore, 'deleteRoomOps'>, room: string): Op[] {
  return [...directory.deleteRoomOps(room), dropLog(logs.messages(room)), dropLog(logs.roomEvents(room))]
}
