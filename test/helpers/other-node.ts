/** Acts on rooms as another node of a broker does: on the same store, and with nothing else in common. */
import type { Actor } from '../../broker/chat/model/actor.js'
import { AskLimits } from '../../broker/chat/model/ask-limits.js'
import { DirectConversations } from '../../broker/chat/rooms/direct-conversations.js'
import { makeRooms } from '../../broker/chat/wiring/rooms.js'
import { countPersons } from '../../broker/chat/wiring/shared.js'
import { completeConfig } from '../../broker/config/config.js'
import type { Store } from '../../broker/store/store.js'

/** A user whose account has the id `1`; `admin` is one. */
export function accountActor(user: string): Actor {
  const roles = new Set(user === 'admin' ? ['admin'] : [])
  const account = { id: '1', revocations: 0 }
  return { principal: { user, roles, anonymous: false, expiresAt: null, account }, clientId: '', sessionId: null }
}

/** The rooms as a node serves them. */
export function roomsOn(store: Store, limits: Record<string, number> = {}) {
  const config = completeConfig({ auth: { anonymous: true }, limits }, { cwd: '/' })
  const askLimits = new AskLimits(config.limits.asksPerPair)
  const shared = { store, askLimits, followedBy: () => 0 }
  const rooms = makeRooms(config, { ...shared, ...countPersons(store.directory, config) })
  return { ...rooms, store, direct: new DirectConversations(store) }
}
