/** What the HTTP door asks of the rest of the broker. */
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { LoginThrottle } from '../auth/throttle.js'
import type { makeChat } from '../chat/chat.js'
import type { HttpParts } from '../http/app.js'
import type { Broker } from '../mqtt/aedes.js'
import type { makeLogins } from './logins.js'

type Passed = Pick<HttpParts, 'counters' | 'about' | 'healthy' | 'low' | 'failed' | 'answered' | 'origins' | 'strange'>

export interface HttpAppParts extends Passed {
  readonly auth: Awaited<ReturnType<typeof makeLogins>>
  readonly chat: Awaited<ReturnType<typeof makeChat>>
  readonly broker: Broker
  readonly delivering: HttpParts['events']['services']
  readonly streams: HttpParts['events']['streams']
}

export function httpAppParts(config: Config, parts: HttpAppParts): HttpParts {
  const { auth, chat, broker, counters, about, healthy, low, failed, answered, origins, strange } = parts
  return {
    ...{ counters, about, healthy, low, failed, answered, origins, strange },
    commands: chat.commands,
    exports: chat.exports,
    authenticator: auth.authenticator,
    refusedLogin: auth.refused,
    mayLogIn: (user, password) => broker.gates.mayLogIn(user, password),
    requireBytes: (actor, bytes) => chat.rates.requireBytes(actor, bytes),
    authorizePublish: (actor, topic, payload) => broker.gates.publishFor(null, actor, { topic, payload, qos: 1 }),
    events: eventParts(config, parts),
    oidc: oidcParts(config, parts),
    listen: config.listen,
    payloadBytes: config.limits.payloadBytes,
    syncBytes: config.limits.syncBytes,
  }
}

/** Of a subscription without options. */
const NO_OPTIONS = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const

function eventParts(
  { limits, listen }: Config,
  { auth, chat, broker, delivering, streams }: HttpAppParts,
): HttpParts['events'] {
  return {
    services: delivering,
    streams,
    access: chat.access,
    presence: chat.presence,
    limits,
    rates: chat.rates,
    ping: listen.eventPing,
    asOfNow: (principal) => auth.authenticator.asOfNow(principal),
    authorizeSubscribe: async (actor, filter) => {
      const passed = await broker.gates.subscribe(null, actor, { filter, qos: 1, ...NO_OPTIONS })
      return passed instanceof Refusal ? passed : passed.filter
    },
    forward: () => broker.gates.forward(null),
  }
}

function oidcParts({ auth: { throttle, oidc } }: Config, { auth, failed }: HttpAppParts): HttpParts['oidc'] {
  if (!auth.oidc) return null
  return {
    oidc: auth.oidc,
    authenticator: auth.authenticator,
    proofs: auth.proofs,
    refused: auth.refused,
    codes: auth.loginCodes,
    throttle: new LoginThrottle({ ...throttle, accountAttempts: undefined }),
    redirectUri: oidc.redirectUri!,
    failed,
  }
}
