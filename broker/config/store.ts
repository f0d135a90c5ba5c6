/** Checks the settings of the store against each other. */
import type { Config } from '../../schemas/config.js'
import { type Address, parseAddress } from '../store/redis/address.js'
import type { Fault } from './check.js'

export function storeFaults({ store, auth }: Pick<Config, 'store' | 'auth'>): Fault[] {
  if (store.driver !== 'redis') return []
  const faults = redisFaults(store.redis)
  // The file `secret` is in the data directory of one node.
  if (auth.jwt.secret === null)
    faults.push({
      path: ['auth', 'jwt', 'secret'],
      message: 'is needed with store.driver redis, the same on all nodes',
    })
  return faults
}

function redisFaults({ url, timeout, tls }: Config['store']['redis']): Fault[] {
  const fault = (path: string[], message: string): Fault => ({ path: ['store', 'redis', ...path], message })
  if (url === null) return [fault(['url'], 'is needed with store.driver redis')]
  const faults: Fault[] = []
  const address = addressOf(url)
  if (address instanceof Error) faults.push(fault(['url'], address.message))
  else if (!address.tls && Object.values(tls).some((value) => value !== null))
    faults.push(fault(['tls'], 'needs an address with TLS: rediss://, or ?tls=true'))
  if ((tls.cert === null) !== (tls.key === null)) faults.push(fault(['tls'], 'needs both cert and key, or neither'))
  if (timeout <= 0 || timeout > 60) faults.push(fault(['timeout'], 'expected more than 0 seconds, at most 60'))
  return faults
}

function addressOf(url: string): Address | Error {
  try {
    return parseAddress(url)
  } catch (error) {
    return error as Error
  }
}
