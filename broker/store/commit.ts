import { Refusal } from '../../schemas/errors.js'
import type { AppendResult, Change, StoreError } from './changes.js'
import type { Store } from './store.js'

/**
 * Commits a change and waits until it is durable. Resolves with one result per draft; rejects with a `Refusal`
 * (`unavailable`) if the store failed, and then nothing was written.
 */
export function commit(
  store: Pick<Store, 'commit'>,
  { drafts = [], ops = [], guards = null, lazy = false }: Partial<Pick<Change, 'drafts' | 'ops' | 'guards' | 'lazy'>>,
): Promise<readonly AppendResult[]> {
  return new Promise((resolve, reject) => {
    store.commit({
      drafts,
      ops,
      guards,
      lazy,
      settled: (error, results) => {
        if (error) reject(storeRefusal(error))
        else resolve(results)
      },
    })
  })
}

/** What did not get into the store, for who asked for it. */
export function storeRefusal(error: StoreError): Refusal {
  const why = error.full ? 'the disk is full; nothing was stored' : 'nothing was stored; try again'
  return new Refusal('unavailable', why, { cause: error, retryAfter: 1 })
}
