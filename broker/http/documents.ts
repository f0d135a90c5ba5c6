/** Serves the AsyncAPI and OpenAPI documents, and a page to browse the latter. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import { stringify } from 'yaml'
import { API } from '../../schemas/commands.js'
import { asyncApi } from '../../schemas/documents/asyncapi.js'
import { openApi } from '../../schemas/documents/openapi.js'
import { documentText } from '../../schemas/documents/text.js'
import { once } from '../util/once.js'
import { etagOf } from './etags.js'

/** All resources of the page come from here; it uses inline styles, and data URLs for icons. */
const PAGE_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** A document is made when someone first asks for it: all three would be a third of the time that a broker takes to start. */
export function documents(app: FastifyInstance, version: string): void {
  serve(app, `${API}/openapi.json`, () => openApi(version))
  serve(app, `${API}/asyncapi.json`, () => asyncApi(version))
}

export async function documentsPage(app: FastifyInstance, version: string): Promise<void> {
  // The page wants this plugin; its document is not read, as `documentOfPage` answers for it.
  await app.register(swagger, { mode: 'static', specification: { document: {} as never } })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiHooks: { onRequest: documentOfPage(version) },
    staticCSP: PAGE_POLICY,
    uiConfig: { docExpansion: 'list', defaultModelsExpandDepth: 0, layout: 'BaseLayout' },
    theme: { title: 'TopicTalk API', css: [{ filename: 'topictalk.css', content: STYLE }] },
  })
}

/**
 * The routes from which the page loads copies of the document: answers with one prepared on first use, instead of
 * serialising it per request.
 */
function documentOfPage(version: string): onRequestAsyncHookHandler {
  const json = once(() => Buffer.from(`${JSON.stringify(openApi(version))}\n`))
  const yaml = once(() => Buffer.from(stringify(openApi(version), { strict: false })))
  return async ({ routeOptions: { url } }, reply) => {
    if (url === '/docs/json') return reply.type('application/json; charset=utf-8').send(json())
    if (url === '/docs/yaml') return reply.type('application/yaml; charset=utf-8').send(yaml())
    return undefined
  }
}

function serve(app: FastifyInstance, path: string, document: () => object): void {
  // One buffer shared by all responses: slow readers hold references to it.
  const answer = once(() => {
    const body = Buffer.from(documentText(document()))
    return { body, etag: etagOf(body) }
  })
  app.get(path, (_request, reply) => {
    const { body, etag } = answer()
    return reply.type('application/json; charset=utf-8').header('etag', etag).send(body)
  })
}

/** Added below the page's own style: hides the server selection, which has one entry only. */
const STYLE = `
.swagger-ui .info { margin: 2rem 0 1rem; }
.swagger-ui .scheme-container { margin: 0; padding: 0.5rem 0; box-shadow: none; background: none; }
.swagger-ui .scheme-container .schemes > div:first-child:has(.servers) { display: none; }
.swagger-ui .response-col_links { display: none; }
`
