/** A store beside another one, on the same data. */
import { withRecords } from '../../broker/store/directory/with-records.js'
import type { Store, StorePort } from '../../broker/store/store.js'

/**
 * The port of `store` with some parts of its own, and with records and transactions of its own. What is set on it later
 * leaves `store` as it is.
 */
export function storeBeside(store: Store, parts: Partial<StorePort>): Promise<Store> {
  const own: Record<PropertyKey, unknown> = Object.defineProperties({}, Object.getOwnPropertyDescriptors(parts))
  const port: StorePort = new Proxy(store, {
    get: (target, name) => {
      if (name in own) return own[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (_, name, value) => {
      own[name] = value
      return true
    },
  })
  return withRecords(port)
}
