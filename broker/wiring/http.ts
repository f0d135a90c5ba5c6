/** HTTP, and the listeners of both transports: what the HTTP application is made of. */
import type http from 'node:http'
import type https from 'node:https'
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { NetworkThrottle } from '../auth/throttle.js'
import type { Chat } from '../chat/chat.js'
import type { DiskSpace } from '../chat/model/disk-space.js'
import type { HttpDeps } from '../http/app.js'
import type { Streams } from '../http/streams.js'
import type { Scans } from '../media/scanning/scans.js'
import type { Accept } from '../net/byte-stream.js'
import { HttpConnections } from '../net/http-connections.js'
import type { Listener } from '../net/listener.js'
import { Origins } from '../net/origins.js'
import type { Store } from '../store/store.js'
import type { Context } from './context.js'
import type { Drain } from './drain.js'
import type { Health } from './health.js'
import { about, attachServer, openListeners, openWebListeners, webRefusals } from './listeners.js'
import { type LoginServices, perNetwork } from './logins.js'
import { type MediaStorage, mediaDeps } from './media.js'
import type { Mqtt } from './mqtt.js'

export interface HttpServices {
  readonly store: Store
  readonly space: DiskSpace
  readonly logins: LoginServices
  readonly chat: Chat
  readonly mqtt: Mqtt
  readonly streams: Streams
  readonly drain: Drain
  readonly health: Health
  readonly media: MediaStorage
  readonly scans: Scans | null
}

/**
 * Opens every listener of the configuration, and makes the HTTP application where one of them needs it. Resolves with those that are open.
 * `server`: one of an application, which is to be served too.
 */
export async function openTransports(
  context: Context,
  services: HttpServices,
  server?: http.Server | https.Server,
): Promise<Listener[]> {
  const { config, counters, refusals, teardown } = context
  const { broker } = services.mqtt
  const listeners: Listener[] = []
  const opened = (listener: Listener): void => {
    listeners.push(listener)
    teardown.add(listener)
    services.drain.add(listener)
  }
  const accept: Accept = (stream, request) => void broker.handle(stream as never, request as never)
  const { http, https } = config.listen
  if (!server && http === null && https === null) {
    await openListeners(config, accept, opened)
    return listeners
  }
  const web = { origins: new Origins(config.listen.origins), ...webRefusals(refusals, counters) }
  // Loaded here: a quarter of what a start loads is for HTTP alone.
  const { openHttpApp } = await import('../http/app.js')
  const { openWebApp } = await import('../http/web-app.js')
  const shown = { about: () => about(config, listeners), web: await openWebApp(config) }
  const httpApp = await openHttpApp(httpDeps(context, services, { ...web, ...shown }))
  teardown.add(httpApp)
  await openListeners(config, accept, opened)
  const connections = new HttpConnections({ ...config, ...config.listen, refused: web.refused })
  const transports = { accept, httpApp, connections, ...web }
  await openWebListeners(config, transports, opened)
  if (server) teardown.add(attachServer(server, config, transports))
  return listeners
}

type Web = Pick<HttpDeps, 'about' | 'web' | 'origins' | 'pageRefused'>

function httpDeps(context: Context, services: HttpServices, web: Web): HttpDeps {
  const { config, counters, failed, log } = context
  const { store, space, logins, chat, mqtt, health } = services
  const { broker } = mqtt
  return {
    ...web,
    counters,
    failed,
    health,
    low: () => space.low,
    answered: (facts) => log.debug(facts, 'request'),
    commands: chat.commands,
    exports: chat.exports,
    authenticator: logins.authenticator,
    refusedLogin: logins.refused,
    mayLogIn: (user, password) => broker.gates.mayLogIn(user, password),
    requireBytes: (actor, bytes) => chat.rates.requireBytes(actor, bytes),
    authorizePublish: (actor, topic, payload) => broker.gates.publishFor(null, actor, { topic, payload, qos: 1 }),
    events: eventDeps(config, services),
    media: mediaDeps(context, services),
    oidc: oidcDeps(config, store, logins, failed),
    listen: config.listen,
    refreshTtl: config.auth.refreshTtl,
    payloadBytes: config.limits.payloadBytes,
    syncBytes: config.limits.syncBytes,
  }
}

/** Of a subscription without options. */
const NO_OPTIONS = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const

function eventDeps(
  { limits, listen }: Config,
  { logins, chat, mqtt: { broker, subscribing }, streams }: HttpServices,
): HttpDeps['events'] {
  return {
    services: subscribing,
    streams,
    access: chat.access,
    presence: chat.presence,
    limits,
    rates: chat.rates,
    ping: listen.eventPing,
    revalidate: (principal) => logins.authenticator.revalidate(principal),
    authorizeSubscribe: async (actor, filter) => {
      const passed = await broker.gates.subscribe(null, actor, { filter, qos: 1, ...NO_OPTIONS })
      return passed instanceof Refusal ? passed : passed.filter
    },
    forward: () => broker.gates.forward(null),
  }
}

function oidcDeps(
  { auth: { throttle, oidc } }: Config,
  store: Store,
  logins: LoginServices,
  failed: (error: unknown) => void,
): HttpDeps['oidc'] {
  if (!logins.oidc) return null
  return {
    oidc: logins.oidc,
    authenticator: logins.authenticator,
    proofs: logins.proofs,
    refused: logins.refused,
    codes: logins.loginCodes,
    throttle: new NetworkThrottle(store, 'oidcFailuresFrom', perNetwork(throttle)),
    redirectUri: oidc.redirectUri!,
    failed,
  }
}
