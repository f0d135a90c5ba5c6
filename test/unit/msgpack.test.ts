/** MessagePack, against the implementation that the stock persistence of Aedes writes with. */
import { createRequire } from 'node:module'
import t from 'tap'
import { decodeMessagePack } from '../../broker/util/msgpack.js'
import fc from '../helpers/fast-check.js'

const stock = createRequire(createRequire(import.meta.url).resolve('aedes-persistence-redis'))
const msgpack = stock('msgpack-lite') as { encode(value: unknown): Buffer }

const RUNS = { numRuns: 500 }

t.test('what msgpack-lite encodes is decoded', async (t) => {
  const bytes = fc.uint8Array({ maxLength: 300 }).map((value) => Buffer.from(value))
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      bytes,
      fc.array(tie('value'), { maxLength: 20 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 20, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(value, (value) => {
      const found = decodeMessagePack(msgpack.encode(value))
      return msgpack.encode(found).equals(msgpack.encode(value))
    }),
    RUNS,
  )
  const long = { text: 'x'.repeat(70_000), bytes: Buffer.alloc(70_000, 1), list: new Array(70_000).fill(7) }
  t.same(decodeMessagePack(msgpack.encode(long)), long, 'lengths of four bytes')
})

t.test('what is cut short, or goes on, is an error', async (t) => {
  const whole = msgpack.encode({ topic: 'a/b', payload: Buffer.from('x'), list: [1, -1, 1.5, 70_000] })
  for (let end = 0; end < whole.length; end++)
    t.throws(() => decodeMessagePack(whole.subarray(0, end)), { name: 'RangeError' }, `${end} bytes`)
  t.throws(() => decodeMessagePack(Buffer.concat([whole, whole])), { message: 'there is more than one value' })
  t.throws(() => decodeMessagePack(Buffer.from([0xc1])), { message: 'type 0xc1 is not known' })
})
