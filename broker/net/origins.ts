/** Which web pages may use the broker. What is no page (curl, apps, servers) says nothing of where it comes from, and may. */
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../../schemas/errors.js'

/** Listed: pages of any origin may. */
const ANY_ORIGIN = '*'

/** Longest origin that is told of. */
const SHOWN = 200

export function strangePage(page: string): Refusal {
  return new Refusal('forbidden', `pages of ${page} may do nothing here; listen.origins lists those that may`)
}

export class Origins {
  readonly #listed: ReadonlySet<string>

  constructor(listed: readonly string[]) {
    this.#listed = new Set(listed)
  }

  get any(): boolean {
    return this.#listed.has(ANY_ORIGIN)
  }

  /** Whether it is listed by name. */
  lists(origin: string): boolean {
    return this.#listed.has(origin)
  }

  /** The page behind a request that may not make it, in words; null: it may, or there is none. */
  stranger(request: IncomingMessage): string | null {
    const visits = request.headers.origin === undefined && isVisit(request)
    return this.any || visits ? null : this.#otherPage(request)
  }

  /** Whether what a browser adds by itself, such as a certificate, counts: for pages of here, and for those that are listed by name. */
  trusts(request: IncomingMessage): boolean {
    return this.#otherPage(request) === null
  }

  #otherPage(request: IncomingMessage): string | null {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (origin === undefined) {
      const own = site === undefined || site === 'none' || site === 'same-origin'
      return own ? null : 'another origin'
    }
    if (this.#listed.has(origin) || site === 'same-origin') return null
    // Browsers before 2023, and all of them on plain HTTP, leave the other header out.
    return site === undefined && isOfHere(origin, request) ? null : origin.slice(0, SHOWN)
  }
}

/** A link that is followed to here: what comes is shown in place of the page, which sees nothing of it. */
function isVisit({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['sec-fetch-mode'] === 'navigate'
}

/**
 * Whether the page came from the address it now asks. At a loopback address that has to be its number or `localhost`: any other name may be of
 * a page elsewhere that had it lead to this machine meanwhile (DNS rebinding).
 */
function isOfHere(origin: string, { headers: { host = '' }, socket }: IncomingMessage): boolean {
  const page = urlOf(origin)
  if (!page || !/^https?:$/.test(page.protocol) || page.host !== urlOf(`${page.protocol}//${host}`)?.host) return false
  return !isLoopback(socket.localAddress) || isLoopbackName(page.hostname)
}

function urlOf(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}

function isLoopback(address = ''): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address)
}

function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d+){3}$/.test(name)
}
