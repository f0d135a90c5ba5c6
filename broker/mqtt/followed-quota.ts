/** `limits.followedPerUser`: wildcard filters that follow memberships may cover very many logs, so the limit is checked before any is opened. */
import { setImmediate as turn } from 'node:timers/promises'
import { Refusal } from '../../schemas/errors.js'
import type { Filter } from '../../schemas/topics.js'
import type { ConnectedClient } from './connected-client.js'

/** Filters that cover fewer logs and topics are not checked. */
const WIDE = 1000

/** Reserves what a filter will add, until `session.promised` is reset. Each wide filter yields to the event loop. */
export async function reserveFollowed({ session, services }: ConnectedClient, parsed: Filter): Promise<void> {
  const { views, registry, limits } = services
  const breadth = views.breadth(parsed, session.user)
  if (breadth < WIDE) return
  const followed = registry.followedBy(session.user)
  if (followed + breadth > limits.followedPerUser) {
    const why = `your sessions follow ${followed} logs and topics, and this filter shows up to ${breadth} more`
    throw new Refusal('too_large', `${why} (limits.followedPerUser)`)
  }
  session.reserved += breadth
  await turn()
}
