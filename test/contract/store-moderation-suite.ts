/** The part of the store contract about what those who keep order leave. */
import type { Test } from 'tap'
import type { Filter } from '../../schemas/moderation.js'
import { commit, type NewPlace } from './store-suite.js'

export function moderationSuite(t: Test, newPlace: NewPlace): void {
  t.test('filters are one list, the same until it is replaced', async (t) => {
    const place = await newPlace(t)
    let store = await place.open()
    t.same(store.moderation.filters, [])
    const filter: Filter = { match: 'words', patterns: ['a'], action: 'mask', rooms: ['r'] }
    await commit(store, [], [store.moderation.filtersOp([filter])])
    const { filters } = store.moderation
    t.same(filters, [filter])
    t.equal(store.moderation.filters, filters)
    await store.close()
    store = await place.open()
    t.same(store.moderation.filters, [filter])
    await commit(store, [], [store.moderation.filtersOp([])])
    t.same(store.moderation.filters, [])
  })
}
