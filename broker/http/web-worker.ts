/** The service worker of the web app; and where there is no app, one that removes what an app of before has left in browsers. */
import type { FastifyInstance } from 'fastify'
import { WORKER_CACHES, WORKER_PATH } from '../../schemas/web-paths.js'

const HEADERS = {
  'content-type': 'text/javascript; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy':
    "default-src 'none'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
}

/** Browsers ask for the worker with each page that they open, and run what has changed. */
const REMOVER = `self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(leave()))
async function leave() {
  for (const name of await caches.keys()) if (name.startsWith('${WORKER_CACHES}')) await caches.delete(name)
  await self.registration.unregister()
}
`

/** @param worker Null: there is no app */
export function webWorker(app: FastifyInstance, worker: string | null): void {
  app.get(WORKER_PATH, async (_request, reply) => reply.headers(HEADERS).send(worker ?? REMOVER))
}
