import type { FastifyInstance } from 'fastify'
import { HttpRefusal } from './refusals.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Further headers of the answer to OPTIONS. */
    options?: Readonly<Record<string, string>>
  }
}

/**
 * Answers OPTIONS on every path with its methods, and other methods with 405. Call it before adding routes, and the
 * function it returns after the last.
 */
export function answerOtherMethods(app: FastifyInstance): () => void {
  const methodsOf = new Map<string, Set<string>>()
  const optionsOf = new Map<string, Readonly<Record<string, string>>>()
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.options) optionsOf.set(url, config.options)
    const known = methodsOf.get(url) ?? new Set()
    for (const one of [method].flat()) known.add(one)
    methodsOf.set(url, known)
  })
  return () => {
    for (const [url, methods] of [...methodsOf]) answerOthers(app, url, methods, optionsOf.get(url))
  }
}

function answerOthers(app: FastifyInstance, url: string, methods: ReadonlySet<string>, more: object = {}): void {
  const allow = [...methods, 'OPTIONS'].sort().join(', ')
  app.options(url, async (_request, reply) => {
    reply
      .headers({ allow, 'access-control-allow-methods': allow, ...more })
      .code(204)
      .send()
  })
  const others = app.supportedMethods.filter((method) => !methods.has(method) && method !== 'OPTIONS')
  app.route({
    method: others as 'TRACE'[],
    url,
    // Before reading the body, whatever it is.
    onRequest: async ({ method, url: asked }) => {
      throw new HttpRefusal('bad_request', 405, `${asked.split('?', 1)[0]} does not take ${method}, but ${allow}`, {
        allow,
      })
    },
    handler: async () => {},
  })
}
