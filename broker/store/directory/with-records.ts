/** A store: an adapter, the records above it, and transactions on them. */
import type { Store, StorePort } from '../store.js'
import { Records } from './records.js'
import { Sessions } from './sessions.js'
import { Transactions } from './transactions.js'

/** Loads the records of an open adapter. */
export async function withRecords<Port extends StorePort>(port: Port): Promise<Store> {
  const records = await Records.follow(port)
  const transactions = new Transactions(port, records)
  const transact: Store['transact'] = (key, decide) => transactions.run(key, decide)
  const submit: Store['submit'] = (key, decide) => transactions.submit(key, decide)
  const watch: Store['watch'] = (listener) => records.watch(listener)
  return Object.assign(port, records.reader, { transact, submit, watch, sessions: new Sessions(port) })
}
