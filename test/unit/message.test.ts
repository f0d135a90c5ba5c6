/** From a payload to the bytes of a message. */

import t from 'tap'
import type { Actor } from '../../broker/chat/model/actor.js'
import { checkMessage } from '../../broker/chat/model/message.js'
import { stamp } from '../../broker/chat/model/stamp.js'
import { body, writeNumber } from '../../broker/store/body.js'
import { writeText } from '../../broker/util/utf8.js'
import fc from '../helpers/fast-check.js'

const ann: Actor = {
  principal: { user: 'ann', roles: new Set(), anonymous: false, expiresAt: null },
  clientId: 'phone',
  sessionId: 'ann/phone',
}
const destination = { log: 'm:den', place: '"room":"den",' }

/** The message as members receive it, with number 7. */
function received(payload: Buffer, bare: boolean): Record<string, unknown> {
  const { bytes, seqAt } = stamp(ann, destination, checkMessage(payload, bare), { qos: 1 }).body
  return JSON.parse(`${bytes.toString('utf8', 0, seqAt)}7${bytes.toString('utf8', seqAt)}`)
}

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 1 }),
  fc.constantFrom('{"text":"', '"', '\\', '{', ' {', '\u007f', '\u0000', '\u2028', '\ufeff{}', 'a"}', '🙂'),
)

t.test('a text is the same however it comes, whatever stands in it', async (t) => {
  fc.assert(
    fc.property(texts, (text) => {
      const escaped = JSON.stringify(text).replace(
        /[^ -~]/g,
        (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
      const payloads = [JSON.stringify({ text }), ` ${JSON.stringify({ text })}`, `{"text":${escaped}}`]
      for (const payload of payloads) {
        const message = received(Buffer.from(payload), false)
        t.match(message, { room: 'den', seq: 7, from: 'ann', type: 'text', text })
        t.same(Object.keys(message), ['id', 'room', 'seq', 'ts', 'from', 'type', 'text'])
        const checked = checkMessage(Buffer.from(payload), false)
        t.equal(checked.text, text)
        t.equal(checked.inside, `"type":"text","text":${JSON.stringify(text)}`)
      }
      t.match(received(Buffer.from(text), true), { type: 'text', text }, 'bare')
    }),
    { numRuns: 300 },
  )
})

t.test('what is no UTF-8, or empty, is refused', async (t) => {
  for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80]]) {
    const inJson = Buffer.concat([Buffer.from('{"text":"'), Buffer.from(bytes), Buffer.from('"}')])
    for (const payload of [Buffer.from(bytes), inJson])
      t.throws(() => checkMessage(payload, false), { code: 'bad_request', message: /UTF-8/ })
  }
  t.throws(() => checkMessage(Buffer.alloc(0), true), { code: 'bad_request', message: /empty/ })
  t.throws(() => checkMessage(Buffer.from('{"text":""}'), false), { code: 'bad_request' })
})

t.test('texts and numbers are written as the engine would', async (t) => {
  fc.assert(
    fc.property(texts, fc.nat(Number.MAX_SAFE_INTEGER), (text, number) => {
      const into = Buffer.alloc(20 + 3 * text.length)
      t.equal(into.toString('utf8', 3, writeText(into, text, 3)), Buffer.from(text).toString())
      t.equal(into.toString('utf8', 3, writeNumber(into, number, 3)), String(number))
      const { bytes, seqAt } = body(text, 'x')
      t.equal(bytes.toString('utf8', seqAt), 'x')
    }),
  )
})
