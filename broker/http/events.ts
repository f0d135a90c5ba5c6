/**
 * `GET /v1/events?filter=…`: the messages that subscriptions to these filters would deliver, as server-sent events, for
 * networks that allow nothing but HTTP. Has no side effects: a public room is not joined by it.
 */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { API } from '../../schemas/commands.js'
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { type Filter, parseFilter, topicFilterFault, topics } from '../../schemas/topics.js'
import { type Principal, sameRoles } from '../auth/principal.js'
import type { Access } from '../chat/access.js'
import { type Actor, requireUser } from '../chat/model/actor.js'
import type { Rates } from '../chat/model/rates.js'
import type { Presence } from '../chat/presence/presence.js'
import type { SubscriberServices } from '../following/services.js'
import { atCut, Snapshots } from '../following/snapshots.js'
import type { Subscription } from '../following/subscription.js'
import { filterCost } from '../store/filter-cost.js'
import { filtersKey, readPosition } from './event-id.js'
import { ReplayStarts } from './event-starts.js'
import { EventStream, type StreamGuard } from './event-stream.js'
import type { Streams } from './streams.js'

export interface EventDeps {
  readonly services: SubscriberServices
  readonly streams: Streams
  readonly access: Access
  readonly presence: Presence
  readonly limits: Pick<Config['limits'], 'subscriptions' | 'filterBytes' | 'subscriptionBytes' | 'topicLevels'>
  readonly rates: Rates
  /** Seconds. */
  readonly ping: number
  /** The principal with its current roles; null: its login was revoked. */
  readonly revalidate: (principal: Principal) => Promise<Principal | null>
  /** Calls hooks for a filter; they may change it. */
  readonly authorizeSubscribe: (actor: Actor, filter: string) => Promise<string | Refusal>
  /** The forward hooks; null: there are none. */
  readonly forward: () => StreamGuard['forward']
}

export function eventRoute(app: FastifyInstance, deps: EventDeps): void {
  app.get(`${API}/events`, { exposeHeadRoute: false }, async (request, reply) => {
    const { actor } = request
    const user = requireUser(actor)
    deps.streams.requireCapacity(user)
    const filters = filtersOf(request, user, deps)
    const granted: Subscription[] = []
    for (const filter of filters) granted.push(await grant(deps, actor, filter))
    await begin(deps, request, reply, granted)
  })
}

/** The filters of the query, with `{me}` replaced by the user; default: everything of the user. */
function filtersOf({ query }: FastifyRequest, user: string, { limits, rates }: EventDeps): string[] {
  const { filter = [topics.anyRoom('messages'), topics.allOfUser(user)], ...rest } = query as Record<
    string,
    string | string[]
  >
  const [stray] = Object.keys(rest).filter((name) => name !== 'access_token')
  if (stray !== undefined) throw new Refusal('bad_request', `unknown field ${JSON.stringify(stray)}`, { field: stray })
  const filters = [...new Set([filter].flat().map((one) => one.replace('{me}', user)))]
  const tooMuch = (why: string) => new Refusal('too_large', why, { field: 'filter' })
  const { subscriptions, subscriptionBytes, filterBytes } = limits
  if (filters.length > subscriptions) throw tooMuch(`more than ${subscriptions} filters (limits.subscriptions)`)
  if (filters.some((one) => Buffer.byteLength(one) > filterBytes))
    throw tooMuch(`a filter of more than ${filterBytes} bytes (limits.filterBytes)`)
  if (filters.reduce((sum, one) => sum + filterCost(one), 0) > subscriptionBytes)
    throw tooMuch(`filters of more than ${subscriptionBytes} bytes (limits.subscriptionBytes)`)
  rates.requireFilters(user, filters.length)
  return filters
}

async function grant(
  { access, limits, authorizeSubscribe }: EventDeps,
  actor: Actor,
  asked: string,
): Promise<Subscription> {
  requireFilter(asked, limits.topicLevels)
  const filter = await authorizeSubscribe(actor, asked)
  if (filter instanceof Refusal) throw filter
  const parsed = requireFilter(filter, limits.topicLevels)
  const { unconditional } = access.check(actor, filter, parsed)
  return { filter, parsed, unconditional, qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }
}

function requireFilter(filter: string, topicLevels: number): Filter {
  const wrong = (why: string) => new Refusal('bad_request', why, { field: 'filter' })
  const fault = topicFilterFault(filter, topicLevels)
  if (fault) throw wrong(`${JSON.stringify(filter)}: ${fault}`)
  const parsed = parseFilter(filter)
  if (parsed.kind === 'shared') throw wrong('only sessions share a subscription')
  if (parsed.kind === 'invalid') throw wrong(parsed.why)
  return parsed
}

async function begin(
  deps: EventDeps,
  { actor: asking, headers }: FastifyRequest,
  reply: FastifyReply,
  granted: readonly Subscription[],
): Promise<void> {
  const { services, streams, presence, access } = deps
  const filters = filtersKey(granted.map(({ filter }) => filter))
  const actor = { ...asking }
  const { user } = actor.principal
  const options = { id: `events/${user}/${randomUUID()}`, actor, filters, ping: deps.ping }
  const guard = guardOf(deps, actor, granted)
  const stream = new EventStream(options, services, reply.raw, guard)
  streams.add(stream, () => presence.disconnected(user, null))
  presence.connected(user, null)
  reply.hijack()
  // A disconnect while hooks were called emits no further event.
  if (reply.raw.destroyed) return stream.end('client gone')
  const head = { ...reply.getHeaders(), ...HEADERS, 'topictalk-user': user }
  reply.raw.writeHead(200, head as Record<string, string>)
  try {
    // From here on a logout ends the stream; a logout between the login and now has to be checked for.
    const over = await guard.followAccount()
    if (over) return stream.end(over)
    stream.snapshots = new Snapshots({
      receiver: stream,
      actor,
      access,
      services,
      failed: (error) => stream.failed(error),
    })
    const position = readPosition(headers['last-event-id'] as string)
    const starts = new ReplayStarts(services, user, position, filters)
    await follow(stream, services, granted, starts)
    stream.open(starts, position?.time ?? null)
  } catch (error) {
    stream.failed(error)
  }
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Disables buffering in nginx.
  'x-accel-buffering': 'no',
}

function guardOf(
  deps: EventDeps,
  actor: Actor & { principal: Principal },
  granted: readonly Subscription[],
): StreamGuard {
  const { access, forward } = deps
  return {
    followAccount: async () => {
      const principal = await deps.revalidate(actor.principal)
      if (!principal) return 'logged out'
      const { roles } = actor.principal
      actor.principal = principal
      if (sameRoles(roles, principal.roles) || (await stillGranted(deps, actor, granted))) return null
      return 'roles changed'
    },
    followRules: () => allGranted(deps, actor, granted),
    mayReceive: (topic) => access.mayReceive(actor, topic),
    isFor: (topic, payload) => access.isFor(actor, topic, payload),
    get forward(): StreamGuard['forward'] {
      const hook = forward()
      return hook && ((topic, payload, qos) => orNull(() => hook(topic, payload, qos)))
    },
  }
}

/** Checks the current grants before calling hooks, so that no message slips through in the meantime. */
async function stillGranted(deps: EventDeps, actor: Actor, granted: readonly Subscription[]): Promise<boolean> {
  if (!allGranted(deps, actor, granted)) return false
  for (const { filter } of granted) if ((await deps.authorizeSubscribe(actor, filter)) instanceof Refusal) return false
  return true
}

function allGranted({ access }: EventDeps, actor: Actor, granted: readonly Subscription[]): boolean {
  try {
    for (const one of granted) one.unconditional = access.check(actor, one.filter, one.parsed).unconditional
    return true
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** A hook that throws for lack of a client denies. */
function orNull(ask: () => Buffer | null): Buffer | null {
  try {
    return ask()
  } catch {
    return null
  }
}

/** Attaches feeds for all that the filters cover, at the former position or now. */
async function follow(
  stream: EventStream,
  { store }: SubscriberServices,
  granted: readonly Subscription[],
  starts: ReplayStarts,
): Promise<void> {
  const { feedSet } = stream
  const headsOf = new Map<Subscription, Map<string, number>>()
  for (const subscription of granted) {
    const matched = feedSet.viewsOf(subscription)
    const heads = await feedSet.heads(matched)
    for (const view of matched.views) heads.set(view.cursor, await starts.of(view, heads.get(view.cursor)!))
    headsOf.set(subscription, heads)
  }
  await atCut(store, store.queue, [], false, (cut) => {
    if (!stream.closed) for (const [subscription, heads] of headsOf) feedSet.add(subscription, heads)
    stream.snapshots?.request(granted, cut)
  })
}
