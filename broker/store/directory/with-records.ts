/** A store: an adapter, the records above it, and transactions on them. */
import type { Store, StorePort } from '../store.js'
import { AedesPersistence } from './aedes-persistence.js'
import { CatchingUp } from './catching-up.js'
import { Records } from './records.js'
import { Sessions } from './sessions.js'
import { Transactions } from './transactions.js'

/**
 * Loads the records of an open adapter.
 * @param now Unix ms
 */
export async function withRecords(port: StorePort, now: () => number = Date.now): Promise<Store> {
  const records = await Records.follow(port)
  const catchingUp = new CatchingUp(port)
  const catchUp: Store['catchUp'] = () => catchingUp.begin()
  const transactions = new Transactions(port, records, catchUp)
  const transact: Store['transact'] = (key, decide) => transactions.run(key, decide)
  const submit: Store['submit'] = (key, decide) => transactions.submit(key, decide)
  const watch: Store['watch'] = (listener) => records.watch(listener)
  const asOf = (): number => records.position
  const beside = { sessions: new Sessions(port), persistence: new AedesPersistence(port, now) }
  return Object.assign(port, records.reader, { asOf, catchUp, transact, submit, watch, ...beside })
}
