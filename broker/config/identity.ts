/** Checks the settings for logins against each other. */
import { API } from '../../schemas/commands.js'
import type { Config } from '../../schemas/config.js'
import { endpointFault } from '../auth/endpoint.js'
import type { Fault, Path } from './check.js'

export function identityFaults({ auth, listen, web }: Pick<Config, 'auth' | 'listen' | 'web'>): Fault[] {
  return [...endpointFaults(auth), ...backendFaults(auth), ...certificateFaults(auth, listen), ...oidcFaults(auth, web)]
}

function oidcFaults({ oidc }: Config['auth'], web: Config['web']): Fault[] {
  const { issuer, clientId, redirectUri, returnTo, scopes } = oidc
  if (issuer === null) return []
  const fault = (key: string, message: string): Fault => ({ path: ['auth', 'oidc', key], message })
  const faults: Fault[] = []
  if (clientId === null) faults.push(fault('clientId', 'the provider needs to know who asks'))
  if (!redirectUri?.endsWith(CALLBACK))
    faults.push(fault('redirectUri', `expected an address that ends with ${CALLBACK}`))
  if (!scopes.includes('openid')) faults.push(fault('scopes', 'openid has to be among them'))
  if (returnTo.length === 0 && !web.enabled) faults.push(fault('returnTo', 'needs an address that logins lead back to'))
  for (const address of returnTo)
    if (!leadsToApp(address))
      faults.push(fault('returnTo', `${JSON.stringify(address)} is no https:// address, nor that of an app`))
  return faults
}

const CALLBACK = `${API}/auth/oidc/callback`

/** An HTTPS page, a page on this machine, or an app's custom scheme, which contains a dot (RFC 8252, 7.1). */
function leadsToApp(address: string): boolean {
  if (/^[a-z][a-z0-9+-]*\.[a-z0-9.+-]*:\//.test(address)) return URL.canParse(address)
  return endpointFault(address) === null
}

function certificateFaults({ x509 }: Config['auth'], { tls }: Config['listen']): Fault[] {
  if (tls.ca !== null) return []
  const asked: [boolean, Path][] = [
    [x509.name !== 'off', ['auth', 'x509', 'name']],
    [x509.required, ['auth', 'x509', 'required']],
    [tls.crl !== null, ['listen', 'tls', 'crl']],
  ]
  return asked.filter(([given]) => given).map(([, path]) => ({ path, message: 'needs listen.tls.ca' }))
}

function endpointFaults({ jwt, http, oidc }: Config['auth']): Fault[] {
  const endpoints: [Path, string | null][] = [
    [['auth', 'jwt', 'jwks'], jwt.jwks],
    [['auth', 'oidc', 'issuer'], oidc.issuer],
    [['auth', 'oidc', 'redirectUri'], oidc.redirectUri],
    [['auth', 'http', 'login'], http.login],
    [['auth', 'http', 'publish'], http.publish],
    [['auth', 'http', 'subscribe'], http.subscribe],
  ]
  return endpoints.flatMap(([path, url]) => {
    const message = url === null ? null : endpointFault(url)
    return message === null ? [] : [{ path, message }]
  })
}

function backendFaults({ http }: Config['auth']): Fault[] {
  if (http.timeout > 0 && http.timeout <= 60) return []
  return [{ path: ['auth', 'http', 'timeout'], message: 'expected more than 0 seconds, at most 60' }]
}
