/** The HTTP application: one Fastify instance answers the plain HTTP requests of all listeners. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Config } from '../../schemas/config.js'
import type { Refusal } from '../../schemas/errors.js'
import type { Authenticator, RefusedLogin } from '../auth/principal.js'
import type { Commands } from '../chat/commands/table.js'
import type { Actor } from '../chat/model/actor.js'
import type { Origins } from '../net/origins.js'
import type { Counters } from '../util/counters.js'
import { acceptJson } from './bodies.js'
import { commandRoutes } from './commands.js'
import { allowOrigins } from './cors.js'
import { documents, documentsPage } from './documents.js'
import { tagAnswers } from './etags.js'
import { type EventDeps, eventRoute } from './events.js'
import { type ExportDeps, exportRoute } from './exports.js'
import type { About } from './landing.js'
import { loginRequests } from './login.js'
import { LoginCookie } from './login-cookie.js'
import { type MediaDeps, mediaRoutes } from './media.js'
import { answerOtherMethods } from './methods.js'
import { type OidcDeps, oidcRoutes } from './oidc.js'
import { type PageDeps, pages } from './pages.js'
import { answerRefusals } from './refusals.js'
import { type UploadDeps, uploadRoutes } from './uploads.js'
import { type WebApp, webAssets, webPages } from './web-app.js'

export interface HttpDeps {
  readonly commands: Commands
  readonly exports: ExportDeps['exports']
  readonly authenticator: Authenticator
  readonly refusedLogin: (login: RefusedLogin) => void
  /** Whether the broker's hooks (Aedes plugins) allow a valid login. */
  readonly mayLogIn: (user: string, password: Buffer | undefined) => Promise<boolean>
  readonly requireBytes: (actor: Actor, bytes: number) => void
  /** Calls hooks for a request, which counts as a publish as it does over MQTT. Resolves with null if allowed. */
  readonly authorizePublish: (actor: Actor, topic: string, payload: Buffer) => Promise<Refusal | null>
  readonly counters: Counters
  readonly events: EventDeps
  readonly media: MediaDeps & UploadDeps
  /** Null: no identity provider is configured. */
  readonly oidc: OidcDeps | null
  readonly listen: Pick<Config['listen'], 'wsPath'>
  readonly origins: Origins
  /** Lifetime of a refresh token in seconds. */
  readonly refreshTtl: number
  /** Called with the origin of a refused page. */
  readonly pageRefused: (page: string) => void
  /** Longest body in bytes. */
  readonly payloadBytes: number
  /** The same for `sync`. */
  readonly syncBytes: number
  /** Facts for the landing page; a function, since ports may be known only after the start. */
  readonly about: () => About
  readonly web: WebApp
  /** What `/healthz` and `/readyz` answer. */
  readonly health: PageDeps['health']
  /** Whether disk space is low; reported by both. */
  readonly low: () => boolean
  readonly failed: (error: unknown) => void
  /** Called for each answered request, for the log. */
  readonly answered: (facts: Record<string, unknown>) => void
}

export interface HttpApp {
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Resolves when the pending requests are answered, or their time is over. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** Ids of rooms, users and clients can be longer than Fastify's default of 100 characters. */
const MAX_PARAMETER = 1024
/** Milliseconds for pending requests when the broker stops. */
const DRAIN = 5_000

export async function openHttpApp(given: HttpDeps): Promise<HttpApp> {
  const deps = { ...given, loginCookie: new LoginCookie(given) }
  const app = fastify({
    bodyLimit: deps.payloadBytes,
    routerOptions: { maxParamLength: MAX_PARAMETER },
    frameworkErrors: (error, _request, reply) => refuse(error, reply),
  })
  const refuse = answerRefusals(app, deps)
  const underWay = new PendingRequests(app)
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'))
  app.addHook('onResponse', async (request, { statusCode: status }) => {
    const { method, ip, actor } = request
    deps.answered({ method, path: pathForLog(request), status, address: ip, user: actor?.principal.user })
  })
  acceptJson(app)
  allowOrigins(app, deps.origins, deps.pageRefused)
  answerOtherMethods(app, MAX_PARAMETER)
  // Only reads have an ETag: with one, a retried change would be answered 304.
  await app.register(async (reads) => {
    tagAnswers(reads)
    pages(reads, deps)
    webPages(reads, deps.web)
    documents(reads, deps.about().version)
    await reads.register(async (api) => {
      loginRequests(api, deps)
      commandRoutes(api, deps, 'reads')
    })
  })
  await app.register(async (api) => {
    loginRequests(api, deps)
    commandRoutes(api, deps, 'changes')
    eventRoute(api, deps.events)
    exportRoute(api, deps)
    mediaRoutes(api, deps.media)
    uploadRoutes(api, deps.media)
  })
  webAssets(app, deps.web)
  oidcRoutes(app, deps.oidc)
  await documentsPage(app, deps.about().version)
  await app.ready()
  return {
    handle: (request, response) => app.routing(request, response),
    drain: () => {
      deps.events.streams.close()
      return underWay.drain(DRAIN)
    },
    close: () => app.close(),
  }
}

/**
 * The path without its query, which may hold a token; and for routes without login, without path parameters that may be
 * secrets.
 */
function pathForLog({ url, routeOptions }: FastifyRequest): string | undefined {
  return routeOptions.config.open ? routeOptions.url : url.split('?', 1)[0]
}

/** Counts pending requests. */
class PendingRequests {
  #count = 0
  #idle: () => void = () => {}

  constructor(app: FastifyInstance) {
    app.addHook('onRequest', async (_request, reply) => {
      this.#count++
      // Emitted both after the response and when the client disconnects.
      reply.raw.once('close', () => {
        if (--this.#count === 0) this.#idle()
      })
    })
  }

  async drain(ms: number): Promise<void> {
    if (this.#count === 0) return
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#idle = resolve
      timer = setTimeout(resolve, ms)
    })
    clearTimeout(timer)
  }
}
