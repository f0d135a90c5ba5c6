/** What Redis keeps of a message that had a client-chosen id. */
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { encodeRest, readRest } from '../../broker/store/redis/dedupe.js'
import { uuid7 } from '../../broker/util/uuid7.js'

t.test('its time and its id, whatever that is', async (t) => {
  const ts = 1_700_000_000_000
  const some = [
    uuid7(ts),
    randomUUID(),
    `00${randomUUID().slice(2)}`,
    'id-one',
    '',
    '15 characters..',
    '16 characters...',
    'é',
  ]
  for (const id of some) t.same(readRest(encodeRest(ts, id)), { id, ts }, id)
  t.equal(encodeRest(ts, uuid7(ts)).length, 6 + 16, 'that of a broker takes 16 bytes')
})
