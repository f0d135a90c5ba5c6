/** A process that writes to a client's store in a directory, and tells its parent of each row that is durable, until it is killed. */
import { DirectoryStore } from '../../client/node/directory-store.js'

const store = new DirectoryStore(process.argv[2]!)
for (let at = 1; ; at++) {
  await store.write([{ put: 'outbox', key: [at], value: 'x'.repeat(100) }], { durable: true })
  process.send!(at)
}
