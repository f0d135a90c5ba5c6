/** Messages as a node writes them, for tests of what races between nodes. */
import { AttachedFiles } from '../../broker/chat/files/attached-files.js'
import { FileAccess } from '../../broker/chat/files/file-access.js'
import { MessageWriter, type MessageWriterDeps } from '../../broker/chat/messages/message-writer.js'
import type { Post } from '../../broker/chat/messages/post.js'
import { References } from '../../broker/chat/messages/references.js'
import { checkMessage } from '../../broker/chat/model/message.js'
import { Replies } from '../../broker/chat/model/replies.js'
import { RoomRules } from '../../broker/chat/rooms/room-rules.js'
import { LocalBus } from '../../broker/store/bus.js'
import { Lane } from '../../broker/store/lane.js'
import type { Store } from '../../broker/store/store.js'
import { actorOf } from './node-pair.js'

/** Writes to the room `tea` as a node whose memory is that of `store`. Resolves with the outcome, as a text. */
export function write(store: Store, user: string, message: object): Promise<string> {
  const rules = new RoomRules(store.directory)
  const writer = new MessageWriter({
    ...{ store, rules, replies: new Replies(new LocalBus()), references: new References(store, rules) },
    attachedFiles: new AttachedFiles(new FileAccess(store, store.directory), 0),
    screening: { screen: () => undefined },
    rates: { requireRoomRate: () => {}, chargeRoom: () => 0, giveBack: () => {} },
  } as unknown as MessageWriterDeps)
  const publication = { topic: 'rooms/tea/messages', qos: 1, ops: [], lane: new Lane(store) }
  return new Promise((resolve) => {
    const publisher: Post['publisher'] = {
      settled: (refusal, result) => resolve(refusal ? refusal.code : `entry ${result!.seq}`),
    }
    const checked = checkMessage(Buffer.from(JSON.stringify(message)), false)
    const post = { actor: actorOf(user), room: 'tea', message: checked, to: '', publication, publisher }
    Promise.resolve(writer.writeToRoom(store.directory.room('tea')!, post as unknown as Post)).catch((error) =>
      resolve(error.code ?? String(error)),
    )
  })
}
