import t from 'tap'
import { requireExactNumbers } from '../../broker/chat/model/numbers.js'

t.test('numbers that would come back as others are refused, with the field', async (t) => {
  for (const number of ['9007199254740993', '-9007199254740993', '12345678901234567890', '1e400', '-1e400', '1e-400']) {
    t.throws(() => requireExactNumbers(`{"a":[1],"id":${number}}`), { code: 'bad_request', field: 'id' }, number)
    t.throws(() => requireExactNumbers(`{"data":{"x":[${number}]}}`), { code: 'bad_request', field: 'x' }, number)
  }
})

t.test('others pass, and texts whatever they hold', async (t) => {
  for (const number of [
    '9007199254740992',
    '0.1',
    '1.0',
    '21.5000000000000000',
    '1e5',
    '-0',
    '0e5',
    '1E+2',
    '1795889720645',
  ])
    t.doesNotThrow(() => requireExactNumbers(`{"id":${number}}`), number)
  t.doesNotThrow(() => requireExactNumbers('{"9007199254740993":"1e400 \\" 12345678901234567890 \\\\"}'))
})
