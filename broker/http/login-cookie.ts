/**
 * The refresh token of a login in a cookie that scripts cannot read, for pages of the broker's own origin. It is read on the
 * routes of commands that say so, and nowhere else; it is never put into a response body.
 *
 * A browser adds cookies to requests of any page (CSRF). So a request that sets or uses one must come from a page of the same
 * origin, as the browser itself says (Sec-Fetch-Site, Origin); SameSite=Strict says the same to the browser.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { API, type HttpRoute } from '../../schemas/commands.js'
import { Refusal } from '../../schemas/errors.js'
import { readSecret } from '../auth/secrets.js'
import { isLoopbackName, type Origins } from '../net/origins.js'
import { type CookieSite, cookieName, cookieSite, cookieValue, setCookie } from './cookies.js'

export interface LoginCookieDeps {
  readonly origins: Pick<Origins, 'isOwnPage'>
  /** Lifetime of a refresh token in seconds. */
  readonly refreshTtl: number
}

type Values = Record<string, unknown>

/** Runs a command with these parameters, and resolves with its result as JSON. */
type Run = (params: Values) => Promise<string>

const PURPOSE = 'refresh'
const PATH = `${API}/auth`

export class LoginCookie {
  readonly #deps: LoginCookieDeps

  constructor(deps: LoginCookieDeps) {
    this.#deps = deps
  }

  /** Runs a command that sets, renews or clears the cookie. @throws Refusal */
  run(
    how: NonNullable<HttpRoute['cookie']>,
    request: FastifyRequest,
    reply: FastifyReply,
    params: Values,
    run: Run,
  ): Promise<string> {
    if (how === 'clears') return this.#clear(request, reply, () => run(params))
    const isRenewal = how === 'renews' && params['refreshToken'] === undefined && hasCookie(request)
    if (isRenewal) return this.#renew(request, reply, params, run)
    return params['cookie'] === true ? this.#set(request, reply, () => run(params)) : run(params)
  }

  async #set(request: FastifyRequest, reply: FastifyReply, run: () => Promise<string>): Promise<string> {
    const site = this.#requireSite(request)
    const { refreshToken, ...login } = JSON.parse(await run()) as Values
    reply.header('set-cookie', this.#cookie(site, String(refreshToken)))
    return JSON.stringify(login)
  }

  /** A token that is refused is deleted: it will not become valid again. */
  async #renew(request: FastifyRequest, reply: FastifyReply, params: Values, run: Run): Promise<string> {
    const site = this.#requireSite(request)
    const refreshToken = valueAt(site, request)
    if (refreshToken === null) return run(params)
    try {
      return await this.#set(request, reply, () => run({ ...params, refreshToken }))
    } catch (error) {
      if (error instanceof Refusal && error.code === 'unauthorized') reply.header('set-cookie', this.#cookie(site, ''))
      throw error
    }
  }

  /** The cookie may hold the login of another user, or a later one. */
  async #clear(request: FastifyRequest, reply: FastifyReply, run: () => Promise<string>): Promise<string> {
    const { user, login } = request.actor.principal
    const result = await run()
    const site = this.#siteOf(request)
    const shown = site && readSecret('login', valueAt(site, request) ?? '')
    if (shown?.user === user && shown.id === login) reply.header('set-cookie', this.#cookie(site!, ''))
    return result
  }

  #cookie(site: CookieSite, value: string): string {
    const maxAge = value === '' ? 0 : this.#deps.refreshTtl
    return setCookie(cookieName(PURPOSE, site), value, site, { maxAge, path: PATH, sameSite: 'Strict' })
  }

  #requireSite(request: FastifyRequest): CookieSite {
    const site = this.#siteOf(request)
    if (site) return site
    throw new Refusal(
      'forbidden',
      'the cookie of a login is for pages of the broker’s own origin, over https, or http on this machine: elsewhere leave cookie out, and keep refreshToken',
      { field: 'cookie' },
    )
  }

  /**
   * The site of the page that makes the request; null: it is none of this origin. Proxies that end TLS change nothing of it, as
   * the page says by which scheme and port it came.
   */
  #siteOf({ raw, headers }: FastifyRequest): CookieSite | null {
    const { origin = '' } = headers
    if (!URL.canParse(origin) || !this.#deps.origins.isOwnPage(raw)) return null
    const page = new URL(origin)
    const isKept = page.protocol === 'https:' || (page.protocol === 'http:' && isLoopbackName(page.hostname))
    return isKept ? cookieSite(page) : null
  }
}

/** Whether there is any such cookie, of whatever port. */
function hasCookie({ headers: { cookie = '' } }: FastifyRequest): boolean {
  return /(^|; *)(__Secure-)?topictalk-refresh-/.test(cookie)
}

function valueAt(site: CookieSite, { headers }: FastifyRequest): string | null {
  return cookieValue(headers.cookie, cookieName(PURPOSE, site))
}
