/** A session has one connection at a time, and outlives each of them. */
import { groupBy, type History, ofType } from './events.js'

export function checkConnections(history: History): string[] {
  return [...lostSessions(history), ...overlaps(history)]
}

/** A persistent session is there again with each connection but the first. */
function lostSessions(history: History): string[] {
  const persistent = new Set(ofType(history, 'following').flatMap((each) => (each.persistent ? [each.session] : [])))
  const connections = ofType(history, 'connected').filter(({ session }) => persistent.has(session))
  return [...groupBy(connections, ({ session }) => session).values()].flatMap(([, ...later]) =>
    later.filter(({ resumed }) => !resumed).map(({ session, node }) => `${node} did not have the session ${session}`),
  )
}

/** What was sent after a CONNACK was committed after it, and is for that connection or a later one. */
function overlaps(history: History): string[] {
  const sentAt = new Map(
    ofType(history, 'sent')
      .reverse()
      .map(({ message, at }) => [message, at]),
  )
  const connected = groupBy(ofType(history, 'connected'), ({ session }) => session)
  const arrived = [...ofType(history, 'delivered'), ...ofType(history, 'overheard')]
  return arrived.flatMap(({ session, connection, message }) => {
    const mine = connected.get(session) ?? []
    const next = mine.slice(mine.findIndex((each) => each.connection === connection))[1]
    if (!next || sentAt.get(message)! < next.at) return []
    return [`${session} got ${message} on a connection after it had another one, to ${next.node}`]
  })
}
