/** The documents of both doors, and a page to browse the one of this. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { API } from '../../schemas/commands.js'
import { asyncApi } from '../../schemas/documents/asyncapi.js'
import { openApi } from '../../schemas/documents/openapi.js'

/** All of the page comes from here. It styles elements in place, and its icons are data. */
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

export function documents(app: FastifyInstance, version: string): void {
  serve(app, `${API}/openapi.json`, openApi(version))
  serve(app, `${API}/asyncapi.json`, asyncApi(version))
}

export async function documentsPage(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, { mode: 'static', specification: { document: openApi(version) as never } })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: PAGE_POLICY,
    uiConfig: { docExpansion: 'list', defaultModelsExpandDepth: 0, layout: 'BaseLayout' },
    theme: { title: 'TopicTalk API', css: [{ filename: 'topictalk.css', content: STYLE }] },
  })
}

function serve(app: FastifyInstance, path: string, document: object): void {
  const text = `${JSON.stringify(document, null, 2)}\n`
  app.get(path, (_request, reply) => reply.type('application/json; charset=utf-8').send(text))
}

/** Sits below the page's own style; the choice of servers has one entry, this one. */
const STYLE = `
.swagger-ui .info { margin: 2rem 0 1rem; }
.swagger-ui .scheme-container { margin: 0; padding: 0.5rem 0; box-shadow: none; background: none; }
.swagger-ui .scheme-container .schemes > div:first-child:has(.servers) { display: none; }
.swagger-ui .response-col_links { display: none; }
`
