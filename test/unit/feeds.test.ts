/** What a feed that is behind makes of a log that changes while it reads. */
import t from 'tap'
import { type FeedHost, LogFeed } from '../../broker/following/feeds.js'
import { append, draft, drop } from '../contract/store-suite.js'
import { memoryStore } from '../helpers/memory-store.js'

const OPTIONS = { qos: 1, ids: [], own: undefined } as const
const view = { cursor: 'e:tea', topic: 'rooms/tea/events', log: 'e:tea', room: 'tea', form: null }

t.test('a log that is dropped during a read leaves what was not sent as not sent', async (t) => {
  const store = await memoryStore(t)
  await append(store, draft('e:tea', '1'), draft('e:tea', '2'))
  const followed = await store.log.follow('e:tea', () => {})
  let feed: LogFeed
  const host = {
    capacity: 1,
    headOf: () => followed.head,
    readLog: async () => {
      await drop(store, 'e:tea')
      return store.log.read('e:tea', feed.next - 1, 1, 1)
    },
  } as unknown as FeedHost
  feed = new LogFeed(host, view, OPTIONS, 2)
  t.equal(await feed.advance(), 'done')
  t.equal(feed.next, 2)
})
