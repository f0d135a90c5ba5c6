/**
 * HTTP routes of the table of commands: `/v1/…`, with the same parameters, checks and handlers as requests over MQTT.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { API, COMMANDS, type Command, type HttpRoute } from '../../schemas/commands.js'
import type { Refusal } from '../../schemas/errors.js'
import { topics } from '../../schemas/topics.js'
import type { Commands } from '../chat/commands/table.js'
import type { Actor } from '../chat/model/actor.js'
import { stringify } from '../chat/model/message.js'
import type { LoginCookie } from './login-cookie.js'
import { nextPage } from './paging.js'
import { parametersOf } from './parameters.js'
import { varyBy } from './vary.js'

export interface CommandDeps {
  readonly commands: Commands
  /** Longest body of `sync`, which carries cursors that the broker returned earlier. */
  readonly syncBytes: number
  /** Throws a refusal if the actor has exceeded its byte rate. */
  readonly requireBytes: (actor: Actor, bytes: number) => void
  readonly authorizePublish: (actor: Actor, topic: string, payload: Buffer) => Promise<Refusal | null>
  readonly loginCookie: LoginCookie
}

export function commandRoutes(app: FastifyInstance, deps: CommandDeps, which: 'reads' | 'changes'): void {
  for (const [name, command] of Object.entries(COMMANDS as Record<string, Command>)) {
    const { http } = command
    if (http && (http.method === 'GET') === (which === 'reads')) addRoute(app, deps, name, command, http)
  }
}

function addRoute(app: FastifyInstance, deps: CommandDeps, name: string, command: Command, http: HttpRoute): void {
  const url = `${API}${http.path.replace(/\{(\w+)\}/g, ':$1')}`
  app.route({
    method: http.method,
    url,
    config: { open: command.open === true },
    ...(name === 'sync' ? { bodyLimit: deps.syncBytes } : {}),
    handler: async (request, reply) => {
      const run = async (params: Record<string, unknown>): Promise<string> => {
        await authorize(deps, request.actor, name, params, http)
        return deps.commands.run(request.actor, name, params)
      }
      const params = parametersOf(request, command, http)
      const { cookie } = http
      const result = cookie ? deps.loginCookie.run(cookie, request, reply, params, run) : run(params)
      return answer(request, reply, http, await result)
    },
  })
}

/** For hooks a request is a publish on its topic, whichever protocol it came by. */
async function authorize(
  deps: CommandDeps,
  actor: Actor,
  name: string,
  params: object,
  { method }: HttpRoute,
): Promise<void> {
  const payload = Buffer.from(stringify(params))
  if (method !== 'GET') deps.requireBytes(actor, payload.length)
  const denied = await deps.authorizePublish(actor, topics.request(actor.principal.user, name), payload)
  if (denied) throw denied
}

/** `result` is JSON text already, and is sent unchanged. */
function answer(request: FastifyRequest, reply: FastifyReply, http: HttpRoute, result: string): FastifyReply {
  if (http.location) reply.header('location', locationOf(http.location, result))
  const next = http.page && nextPage(request, http.page, result)
  if (next) reply.header('link', `<${next}>; rel="next"`)
  varyBy(reply, 'authorization')
  reply.code(http.status ?? 200).headers({
    'content-type': 'application/json; charset=utf-8',
    // Private to the user; revalidated with If-None-Match. Tokens are not to be stored (RFC 6749, 5.1).
    'cache-control': http.cookie ? 'no-store' : 'private, no-cache',
  })
  // The newline is for terminals.
  return reply.send(`${result}\n`)
}

function locationOf(template: string, result: string): string {
  const made = JSON.parse(result) as Record<string, unknown>
  return `${API}${template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(made[name])))}`
}
