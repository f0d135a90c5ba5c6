/** Records of rooms, keyed by room and name. */
import type { RoomRecords } from '../rooms.js'
import type { Database } from './database.js'
import type { RoomRecordKind } from './keys.js'
import { LevelRecords } from './records.js'

export class LevelRoomRecords<T extends { room: string }> extends LevelRecords<T> implements RoomRecords<T> {
  constructor(database: Database, kind: RoomRecordKind, nameOf: (record: T) => string) {
    super(database, kind, { ownerOf: ({ room }) => room, nameOf })
  }
}
