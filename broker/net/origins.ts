/**
 * Which web pages may use the broker (Origin checks). Clients other than browsers send no Origin and are always
 * allowed.
 */
import type { IncomingMessage } from 'node:http'
import { Refusal } from '../../schemas/errors.js'

/** In the list: pages of any origin are allowed. */
const ANY_ORIGIN = '*'

/** Longest origin that is logged. */
const SHOWN = 200

export function foreignPageRefusal(page: string): Refusal {
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

  /** Whether the origin is listed by name. */
  lists(origin: string): boolean {
    return this.#listed.has(origin)
  }

  /** The origin of the page behind a request that may not make it; null: it may, or there is no page. */
  foreignPage(request: IncomingMessage): string | null {
    const visits = request.headers.origin === undefined && isVisit(request)
    return this.any || visits ? null : this.#otherPage(request)
  }

  /**
   * Whether credentials that a browser sends by itself (certificates) count: only for pages of the broker's own origin
   * or a listed one.
   */
  trusts(request: IncomingMessage): boolean {
    return this.#otherPage(request) === null
  }

  /**
   * Whether a page of the broker's own origin makes the request, as the browser says. False also for clients that are no
   * browsers.
   */
  isOwnPage(request: IncomingMessage): boolean {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (site !== undefined) return site === 'same-origin'
    // Browsers before 2023, and all of them over plain HTTP, do not send it.
    return origin !== undefined && isOfHere(origin, request)
  }

  #otherPage(request: IncomingMessage): string | null {
    const { origin, 'sec-fetch-site': site } = request.headers
    if (origin === undefined) {
      const own = site === undefined || site === 'none' || site === 'same-origin'
      return own ? null : 'another origin'
    }
    return this.#listed.has(origin) || this.isOwnPage(request) ? null : origin.slice(0, SHOWN)
  }
}

/** A navigation: the response replaces the page, which cannot read it. */
function isVisit({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['sec-fetch-mode'] === 'navigate'
}

/**
 * Whether the page came from the address it now requests. At a loopback address the host has to be the address itself
 * or `localhost`: any other name may be that of a foreign page whose name resolves to this machine (DNS rebinding).
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

/** Of a URL: whether it can only be this machine. */
export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d+){3}$/.test(name)
}
