/** What the settings about who may log in have to do with each other. */
import type { Config } from '../schemas/config.js'
import { endpointFault } from './auth/endpoint.js'
import type { Fault, Path } from './config-check.js'

export function identityFaults({ auth }: Pick<Config, 'auth' | 'listen'>): Fault[] {
  const endpoints: [Path, string | null][] = [[['auth', 'jwt', 'jwks'], auth.jwt.jwks]]
  return endpoints.flatMap(([path, url]) => {
    const message = url === null ? null : endpointFault(url)
    return message === null ? [] : [{ path, message }]
  })
}
