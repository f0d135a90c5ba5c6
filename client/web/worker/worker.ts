/**
 * The service worker: opens the app without a network. It keeps the page and all files of one version of the app, the one it was built with, and
 * nothing of what people write: that is the SDK's.
 */
import { LOGO_PATH, pageAt, WEB_ASSETS } from '../../../schemas/web-paths.js'
import { deleteOthers, fileOf, keepVersion, pageOf, withoutNetwork } from './kept.js'
import { clicked, pushed } from './notices.js'

declare const self: ServiceWorkerGlobalScope

self.addEventListener('install', (event) => event.waitUntil(install()))
self.addEventListener('activate', (event) => event.waitUntil(activate()))
self.addEventListener('fetch', (event) => {
  const answer = answerTo(event.request)
  if (answer) event.respondWith(answer)
})
self.addEventListener('push', (event) => {
  if (event.data) event.waitUntil(pushed(event.data))
})
self.addEventListener('notificationclick', (event) => event.waitUntil(clicked(event.notification)))

/**
 * It takes over at once: the names of files have the hash of their content, and those of the version before stay for the pages that were opened
 * with it, so that the two cannot mix.
 */
async function install(): Promise<void> {
  await keepVersion()
  await self.skipWaiting()
}

async function activate(): Promise<void> {
  await deleteOthers()
  await self.clients.claim()
}

/** Null: the request is none of ours, as all below `/v1`, and goes to the network as if there were no worker. */
function answerTo(request: Request): Promise<Response> | null {
  const { origin, pathname } = new URL(request.url)
  if (origin !== self.location.origin || request.method !== 'GET') return null
  if (request.mode === 'navigate') return pageAt(pathname) ? pageOf(request) : null
  if (pathname.startsWith(`${WEB_ASSETS}/`)) return fileOf(request)
  return pathname === LOGO_PATH ? withoutNetwork(request) : null
}
