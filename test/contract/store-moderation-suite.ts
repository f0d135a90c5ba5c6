/** The part of the store contract about what those who keep order leave. */
import type { Test } from 'tap'
import type { ReportRecord } from '../../broker/store/moderation.js'
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
    await store.close()
  })

  t.test('reports are there by id with their evidence, until they are removed', async (t) => {
    const place = await newPlace(t)
    let store = await place.open()
    const { moderation } = store
    const open = report('1', { room: 'r', roomSince: 5, seq: 9 })
    const resolution = { by: 'mod', at: 7, action: 'ban', note: null } as const
    await commit(
      store,
      [],
      [
        moderation.reportOp(open),
        moderation.evidenceOp('1', Buffer.from('{"text":"\u{1f595}"}')),
        moderation.reportOp(report('2')),
        moderation.reportOp({ ...report('2'), resolution }),
      ],
    )
    const check = async () => {
      const { reports } = store.moderation
      t.same([...reports.values()], [open, { ...report('2'), resolution }])
      t.equal((await store.moderation.evidence('1'))?.toString(), '{"text":"\u{1f595}"}')
      t.equal(await store.moderation.evidence('2'), null)
    }
    await check()
    await store.close()
    store = await place.open()
    await check()
    await commit(store, [], store.moderation.deleteReportOps('1'))
    t.same([...store.moderation.reports.keys()], ['2'])
    t.equal(await store.moderation.evidence('1'), null)
    await store.close()
    store = await place.open()
    t.same([...store.moderation.reports.keys()], ['2'])
    await store.close()
  })
}

function report(id: string, more: Partial<ReportRecord> = {}): ReportRecord {
  const about = { room: null, roomSince: null, seq: null, user: 'bob', ...more }
  return { id, by: 'ann', ...about, reason: 'spam', text: null, at: 1, resolution: null }
}
