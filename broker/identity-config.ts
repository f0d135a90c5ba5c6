/** What the settings about who may log in have to do with each other. */
import type { Config } from '../schemas/config.js'
import { endpointFault } from './auth/endpoint.js'
import type { Fault, Path } from './config-check.js'

/** A shorter secret could be guessed from one signature. */
const MIN_SECRET = 16

export function identityFaults({ auth, listen }: Pick<Config, 'auth' | 'listen'>): Fault[] {
  return [...endpointFaults(auth), ...backendFaults(auth), ...certificateFaults(auth, listen)]
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

function endpointFaults({ jwt, http }: Config['auth']): Fault[] {
  const endpoints: [Path, string | null][] = [
    [['auth', 'jwt', 'jwks'], jwt.jwks],
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
  const faults: Fault[] = []
  if (http.secret !== null && http.secret.length < MIN_SECRET)
    faults.push({ path: ['auth', 'http', 'secret'], message: `needs at least ${MIN_SECRET} characters` })
  if (!(http.timeout > 0 && http.timeout <= 60))
    faults.push({ path: ['auth', 'http', 'timeout'], message: 'expected more than 0 seconds, at most 60' })
  return faults
}
