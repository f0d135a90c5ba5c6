/** What a history of several nodes must satisfy, whatever failed (DESIGN §1 and §6). */
import { checkConnections } from './connections.js'
import { checkDeliveries } from './deliveries.js'
import type { History } from './events.js'
import { checkLogs } from './logs.js'
import { checkPresence } from './presence.js'
import { checkRooms } from './rooms.js'
import { checkJobs, checkRetained } from './shares.js'
import { checkReceipts } from './signals.js'
import { checkWebhooks } from './webhooks.js'
import { checkWills } from './wills.js'

const CHECKS = [
  checkLogs,
  checkDeliveries,
  checkConnections,
  checkPresence,
  checkWills,
  checkRooms,
  checkReceipts,
  checkJobs,
  checkRetained,
  checkWebhooks,
]

/** What is wrong with it, a line each. */
export function checkHistory(history: History): string[] {
  return CHECKS.flatMap((check) => check(history))
}
