/** The web app: its page at each of its paths, its files, and the picture of the server. */
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { API } from '../../schemas/api.js'
import { type Config, ConfigError } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { LOGO_PATH, MANIFEST_PATH, WEB_ASSETS, WEB_PATHS, WORKER_POLICY } from '../../schemas/web-paths.js'
import { escapeHtml } from './html.js'
import { varyBy } from './vary.js'
import { encodingFor, readWebFiles, type WebFiles } from './web-files.js'
import { webManifest } from './web-manifest.js'
import { webWorker } from './web-worker.js'

type WebConfig = Pick<Config, 'server' | 'web' | 'listen'>

/**
 * Scripts, styles and pictures of this origin alone, and no text that becomes a script or HTML (Trusted Types), but for the address of the service
 * worker. Pictures from memory, so that the app can show what a person is about to send.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  `trusted-types ${WORKER_POLICY}`,
].join('; ')

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

const LOGO_TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
}
const MOST_LOGO = 256 * 1024

export interface WebApp {
  /** The page, for whoever asks for one; null: the app is switched off, or was not built. */
  readonly page: string | null
  readonly files: WebFiles | null
  readonly logo: { readonly type: string; readonly body: Buffer } | null
  readonly server: Config['server']
}

/** @throws ConfigError `server.logo` cannot be shown */
export async function openWebApp(config: WebConfig): Promise<WebApp> {
  const { server } = config
  const files = config.web.enabled ? await readWebFiles() : null
  return { server, files, page: files && pageOf(files.page, config), logo: await readLogo(server.logo) }
}

/** The page says what the app has to know before it can ask: how it looks, and where it connects. */
function pageOf(template: string, { server, listen }: WebConfig): string {
  const facts: Record<string, string> = {
    name: server.name,
    color: server.color ?? '',
    logo: server.logo === null ? '' : LOGO_PATH,
    wsPath: listen.wsPath,
  }
  return template.replace(/%(\w+)%/g, (whole, key: string) => escapeHtml(facts[key] ?? whole))
}

async function readLogo(path: string | null): Promise<WebApp['logo']> {
  if (path === null) return null
  const type = LOGO_TYPES[extname(path).toLowerCase()]
  if (type === undefined) throw new ConfigError(['server.logo: a file of SVG, PNG, WebP or JPEG'])
  const body = await readFile(path).catch((cause: Error) => {
    throw new ConfigError([`server.logo: ${cause.message}`])
  })
  if (body.length > MOST_LOGO) throw new ConfigError([`server.logo: at most ${MOST_LOGO / 1024} kB`])
  return { type, body }
}

/** What has an ETag: the page at all paths but `/`, which has other answers too, and the picture. */
export function webPages(app: FastifyInstance, web: WebApp): void {
  if (web.page !== null) {
    const { home: _, ...others } = WEB_PATHS
    for (const path of Object.values(others)) app.get(path, async (request, reply) => sendPage(request, reply, web))
  }
  webWorker(app, web.files?.worker ?? null)
  const { server, files, logo } = web
  if (files)
    app.get(MANIFEST_PATH, async ({ headers }, reply) => {
      varyBy(reply, 'accept-language')
      const manifest = webManifest(server, files.icons, logo?.type ?? null, headers['accept-language'])
      return reply.type('application/manifest+json; charset=utf-8').send(JSON.stringify(manifest))
    })
  if (!logo) return
  app.get(LOGO_PATH, async (_request, reply) =>
    reply
      .type(logo.type)
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(logo.body),
  )
}

function sendPage(request: FastifyRequest, reply: FastifyReply, { page }: WebApp): FastifyReply {
  varyBy(reply, 'accept')
  if (!wantsHtml(request)) throw new Refusal('not_found', 'this is a page of the web app, for browsers')
  return reply.headers(PAGE_HEADERS).send(page)
}

/** Answers `/` with the app if a browser asks for it; returns null if not. */
export function sendHome(request: FastifyRequest, reply: FastifyReply, web: WebApp): FastifyReply | null {
  return web.page !== null && wantsHtml(request) ? reply.headers(PAGE_HEADERS).send(web.page) : null
}

/** Answers a browser that opens an address where nothing is with the app, which says so; returns null if none asks: below the API programs do. */
export function sendLost(request: FastifyRequest, reply: FastifyReply, web: WebApp): FastifyReply | null {
  const reads = request.method === 'GET' || request.method === 'HEAD'
  if (web.page === null || !reads || request.url.startsWith(`${API}/`) || !wantsHtml(request)) return null
  varyBy(reply, 'accept')
  return reply.code(404).headers(PAGE_HEADERS).header('cache-control', 'no-store').send(web.page)
}

export function webAssets(app: FastifyInstance, { files }: WebApp): void {
  if (!files) return
  app.get(`${WEB_ASSETS}/:file`, async (request, reply) => {
    const { file } = request.params as { file: string }
    const asset = files.assets.get(file)
    if (!asset) throw new Refusal('not_found', 'no such file; load the page again')
    const encoding = encodingFor(asset, request.headers['accept-encoding'])
    varyBy(reply, 'accept-encoding')
    if (encoding !== 'identity') reply.header('content-encoding', encoding)
    // Its name has the hash of its content.
    reply.header('cache-control', 'public, max-age=31536000, immutable').header('content-type', asset.type)
    return reply.send(asset.bodies.get(encoding))
  })
}

/** Browsers ask for it by name; curl and libraries take anything. */
function wantsHtml({ headers: { accept = '' } }: FastifyRequest): boolean {
  return accept.includes('text/html')
}
