/** A real OpenID provider on a port of its own, and a headless browser that goes through its pages. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration, type JWKS } from 'oidc-provider'
import type { Test } from 'tap'

export const CLIENT = { id: 'topictalk', secret: 'a secret that the provider knows' }

/** Claims of the provider's users, beside their names. */
export type People = Record<string, Record<string, unknown>>

export interface IdentityProvider {
  readonly issuer: string
  /** Requested paths. */
  readonly asked: string[]
  /** Stops serving. */
  stop(): Promise<void>
}

export async function startProvider(
  t: Test,
  redirectUri: string,
  {
    people = {},
    jwks,
    port = 0,
    more = {},
  }: { people?: People; jwks?: JWKS; port?: number; more?: Configuration } = {},
): Promise<IdentityProvider> {
  const asked: string[] = []
  let handle: ReturnType<Provider['callback']>
  const server = createServer((request, response) => {
    asked.push(request.url!.split('?', 1)[0]!)
    void handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, {
    clients: [{ client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [redirectUri] }],
    claims: { email: ['email', 'email_verified'], profile: ['name', 'groups', 'preferred_username'] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    cookies: { keys: ['a key of the test'] },
    ...(jwks && { jwks }),
    ...more,
  })
  handle = provider.callback()
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  t.teardown(stop)
  return { issuer, asked, stop }
}

export class Browser {
  readonly cookies = new Map<string, string>()

  /** Follows redirects until one leads to `until`, filling in forms; resolves with that URL. */
  async travel(from: string, until: string, login: string): Promise<URL> {
    let url = from
    for (let steps = 0; steps < 20; steps++) {
      if (url.startsWith(until)) return new URL(url)
      const response = await this.open(url)
      const next = response.headers.get('location')
      url = next ? new URL(next, url).href : await this.#fillIn(await response.text(), url, login)
    }
    throw new Error(`lost at ${url}`)
  }

  async open(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie, ...init.headers } })
    for (const line of response.headers.getSetCookie()) this.#keep(line)
    return response
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line)!
    if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }

  /** Submits the form of a page; the login `cancel` follows its cancel link. Resolves with the next URL. */
  async #fillIn(page: string, url: string, login: string): Promise<string> {
    const [, action] = /<form[^>]+action="([^"]+)"/.exec(page) ?? []
    const [, abort] = /href="([^"]+\/abort)"/.exec(page) ?? []
    const [, prompt] = /name="prompt" value="(\w+)"/.exec(page) ?? []
    if (!action || !prompt) throw new Error(`no form at ${url}: ${page.slice(0, 500)}`)
    if (login === 'cancel') return new URL(abort!, url).href
    const body = new URLSearchParams({ prompt, login, password: 'x' })
    const response = await this.open(new URL(action, url).href, { method: 'POST', body })
    return new URL(response.headers.get('location')!, url).href
  }
}
