import type { FastifyInstance } from 'fastify'
import findMyWay from 'find-my-way'
import { HttpRefusal } from './refusals.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Further headers of the answer to OPTIONS. */
    options?: Readonly<Record<string, string>>
  }
}

interface Path {
  readonly methods: Set<string>
  /** Further headers of the answer to OPTIONS. */
  options: Readonly<Record<string, string>>
}

/**
 * Answers OPTIONS on every path with its methods, and other methods with 405. Call it before adding routes.
 *
 * They are answered where no route was found, by Fastify's router with one entry for each path: a route for each of these methods would be most
 * of what a start of the HTTP application takes.
 */
export function answerOtherMethods(app: FastifyInstance, maxParamLength: number): void {
  const router = findMyWay({ maxParamLength })
  const known = new Map<string, Path>()
  app.addHook('onRoute', ({ url, method, config }) => {
    let path = known.get(url)
    if (!path) {
      path = { methods: new Set(['OPTIONS']), options: {} }
      known.set(url, path)
      router.on('GET', url, () => {}, path)
    }
    for (const one of [method].flat()) path.methods.add(one)
    if (config?.options) path.options = config.options
  })
  // Before reading the body, whatever it is.
  app.addHook('onRequest', (request, reply, done) => {
    const path: Path | undefined = request.is404 ? router.find('GET', request.url)?.store : undefined
    if (!path) return done()
    const allow = [...path.methods].sort().join(', ')
    if (request.method === 'OPTIONS')
      return void reply
        .headers({ allow, 'access-control-allow-methods': allow, ...path.options })
        .code(204)
        .send()
    const [asked] = request.url.split('?', 1)
    done(new HttpRefusal('bad_request', 405, `${asked} does not take ${request.method}, but ${allow}`, { allow }))
  })
}
