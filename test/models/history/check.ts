/** What a history of several nodes must satisfy, whatever failed (DESIGN §1 and §6). */
import { checkConnections } from './connections.js'
import { checkDeliveries } from './deliveries.js'
import type { History } from './events.js'
import { checkLogs } from './logs.js'
import { checkPresence, checkWills } from './presence.js'
import { checkRooms } from './rooms.js'

/** What is wrong with it, a line each. */
export function checkHistory(history: History): string[] {
  return [checkLogs, checkDeliveries, checkConnections, checkPresence, checkWills, checkRooms].flatMap((check) =>
    check(history),
  )
}
