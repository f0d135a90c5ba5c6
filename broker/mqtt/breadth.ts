/** Filters that follow memberships may show very much: whether that is too much is asked before any of it is looked at. */
import { setImmediate as turn } from 'node:timers/promises'
import { Refusal } from '../../schemas/errors.js'
import type { Filter } from '../../schemas/topics.js'
import type { ConnectedClient } from './connected-client.js'

/** Logs and topics from which on it is asked. */
const WIDE = 1000

/** Sets aside what a filter will add, until `session.promised` is 0 again; each wide one has a turn of the event loop of its own. */
export async function promiseBreadth({ session, services }: ConnectedClient, parsed: Filter): Promise<void> {
  const { views, registry, limits } = services
  const breadth = views.breadth(parsed, session.user)
  if (breadth < WIDE) return
  const followed = registry.followedBy(session.user)
  if (followed + breadth > limits.followedPerUser) {
    const why = `your sessions follow ${followed} logs and topics, and this filter shows up to ${breadth} more`
    throw new Refusal('too_large', `${why} (limits.followedPerUser)`)
  }
  session.promised += breadth
  await turn()
}
