/** Cookies of the broker: each is for one purpose, and never read by scripts. */

export interface CookieOptions {
  /** Seconds; 0 deletes it. */
  readonly maxAge: number
  readonly path: string
  readonly sameSite: 'Strict' | 'Lax'
}

/** Where a cookie is kept, as the browser sees it. */
export interface CookieSite {
  /** Browsers keep cookies by host name alone: those of another server at another port have other names. */
  readonly port: string
  /** Whether the address is https. */
  readonly secure: boolean
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

export function cookieSite({ protocol, port }: URL): CookieSite {
  return { port: port || DEFAULT_PORTS[protocol] || '', secure: protocol === 'https:' }
}

/**
 * The name of a cookie at that site. `__Secure-` says that no page without TLS can have set it. `__Host-` would say that no
 * other host of the domain did, but demands `Path=/`: the cookie would go out with every request to the host.
 */
export function cookieName(purpose: string, { port, secure }: CookieSite): string {
  return `${secure ? '__Secure-' : ''}topictalk-${purpose}-${port}`
}

/** The value of `Set-Cookie`. It has no `Domain`: the cookie is for this host alone. */
export function setCookie(
  name: string,
  value: string,
  { secure }: CookieSite,
  { maxAge, path, sameSite }: CookieOptions,
): string {
  const attributes = `Max-Age=${maxAge}; Path=${path}; HttpOnly; SameSite=${sameSite}`
  return `${name}=${value}; ${attributes}${secure ? '; Secure' : ''}`
}

/**
 * The value of a cookie in a header `Cookie`; null: there is none. There is none either if there are several of the name:
 * another host of the domain has set one of them, and nothing says which.
 */
export function cookieValue(header = '', name: string): string | null {
  const found = header.split(/; */).filter((pair) => pair.startsWith(`${name}=`))
  return found.length === 1 ? found[0]!.slice(name.length + 1) || null : null
}
