/** The adapters of the client's store that run in Node pass the suite of all; the one of browsers does in `browser/client-store`. */
import t from 'tap'
import { MemoryStore } from '../../client/store/memory-store.js'
import { clientStoreSuite } from './client-store-suite.js'

t.test('memory', async (t) => {
  clientStoreSuite(t, { place: async () => ({ open: async () => new MemoryStore() }), lasts: false })
})
