/** What the worker keeps: the page and the files of its version. */
import { LOGO_PATH, WEB_PATHS, WORKER_CACHES } from '../../../schemas/web-paths.js'

/** Set by the build: what this version is called, and the addresses of its files. */
declare const VERSION: string
declare const FILES: readonly string[]

const OWN = `${WORKER_CACHES}${VERSION}`
const PAGE = WEB_PATHS.home
/** Ms for which a page waits for the network, if one is kept. */
const PATIENCE = 3000

/** All of it, or it rejects: a part would open to an error. */
export async function keepVersion(): Promise<void> {
  const page = await fetch(PAGE, { headers: { accept: 'text/html' }, cache: 'no-cache' })
  // While nodes of several versions answer, the page may be of another one: the browser tries again.
  if (!page.ok || !(await isOurs(page))) throw new Error('the page is of another version')
  const cache = await caches.open(OWN)
  await cache.addAll([...FILES])
  await cache.put(PAGE, page)
  // Not every server has a picture.
  await cache.add(LOGO_PATH).catch(() => {})
}

/** All versions but this one, and the one before, which pages that are open may still need. */
export async function deleteOthers(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(WORKER_CACHES) && name !== OWN)
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)))
}

/** From the network, if it answers soon; else as it is kept, with the policy it came with. */
export async function pageOf(request: Request): Promise<Response> {
  const kept = await ownOf(PAGE)
  const fetched = fetch(request)
  if (!kept) return fetched
  const answer = fetched.then((response) => (response.status < 500 ? remembered(response) : kept))
  let timer = 0
  const late = new Promise<Response>((resolve) => {
    timer = setTimeout(() => resolve(kept), PATIENCE)
  })
  return Promise.race([answer.catch(() => kept), late]).finally(() => clearTimeout(timer))
}

/** Of any version that is kept: the name says what it is. */
export async function fileOf(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request)
}

/** From the network; without one, as it was last. */
export async function withoutNetwork(request: Request): Promise<Response> {
  const response = await fetch(request).catch(() => null)
  if (!response) return (await ownOf(request)) ?? Response.error()
  if (response.ok) await (await caches.open(OWN)).put(request, response.clone())
  return response
}

/** The page says the name of the server, too, which may have changed. */
async function remembered(response: Response): Promise<Response> {
  const copy = response.clone()
  if (response.ok && (await isOurs(copy.clone()))) await (await caches.open(OWN)).put(PAGE, copy)
  return response
}

async function isOurs(page: Response): Promise<boolean> {
  return (await page.clone().text()).includes(`data-version="${VERSION}"`)
}

/** The page is the same to whoever asks for it. What was taken away, as the server has no app any more, is not made again by looking for it. */
function ownOf(key: RequestInfo): Promise<Response | undefined> {
  return caches.match(key, { cacheName: OWN, ignoreVary: true })
}
