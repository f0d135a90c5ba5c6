import t from 'tap'
import { messageId } from '../../broker/chat/message-id.js'

t.test('a message id is a UUIDv7 of now', async (t) => {
  const before = Date.now()
  const id = messageId()
  t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const time = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
  t.ok(time >= before && time <= Date.now() + 1)
})

t.test('ids ascend, and none comes twice', async (t) => {
  const ids = Array.from({ length: 20_000 }, () => messageId())
  t.strictSame(ids, [...ids].sort())
  t.equal(new Set(ids).size, ids.length)
})
