/** What clients send as a message, by PUBLISH and by the request `send`: taken as what it is, or refused with the field that is wrong. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { codeOf, Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

t.test('every payload has an answer: taken as what it is, or refused with the field that is wrong', async (t) => {
  const { alice } = await people(t, ['alice'], { limits: { payloadBytes: 20_000 } })
  await alice.subscribe('rooms/lobby/messages')
  const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
  const table: [string, string | Buffer, string | object][] = [
    ['text', 'hi', { type: 'text', text: 'hi' }],
    ['white space', ' ', { type: 'text', text: ' ' }],
    ['a number', '42', { type: 'text', text: '42' }],
    ['null', 'null', { type: 'text', text: 'null' }],
    ['an array', '[{"text":"x"}]', { type: 'text', text: '[{"text":"x"}]' }],
    ['a JSON string', '"x"', { type: 'text', text: '"x"' }],
    ['half an object', '{"text":"x"', { type: 'text', text: '{"text":"x"' }],
    ['an object and more', '{"text":"x"} y', { type: 'text', text: '{"text":"x"} y' }],
    ['space around', ' \\n{"text":"x"}\\n', { type: 'text', text: 'x' }],
    ['emoji', '👋🏽', { type: 'text', text: '👋🏽' }],
    ['U+0000 in it', 'a\0b', { type: 'text', text: 'a\0b' }],
    ['an empty object', '{}', { type: 'custom', data: {} }],
    ['unknown keys', '{"a":1,"b":[2]}', { type: 'custom', data: { a: 1, b: [2] } }],
    ['custom null', '{"type":"custom","data":null}', { type: 'custom', data: null }],
    ['type custom', '{"type":"custom","data":[1]}', { type: 'custom', data: [1] }],
    ['doubled key', '{"text":"a","text":"b"}', { type: 'text', text: 'b' }],
    ['ttl', '{"text":"x","ttl":500}', { type: 'text', text: 'x', ttl: 500 }],
    ['deep', `{"data":${deep(90)},"text":"x"}`, { type: 'text', text: 'x' }],
    ['nothing', '', 'bad_request'],
    ['invalid UTF-8', Buffer.from([0x68, 0xff]), 'bad_request'],
    ['a surrogate in UTF-8', Buffer.from([0xed, 0xa0, 0x80]), 'bad_request'],
    ['too deep', `{"data":${deep(200)},"text":"x"}`, 'bad_request'],
    ['much too deep', `{"a":${deep(9000)}}`, 'bad_request'],
    ['known and unknown', '{"text":"x","colour":1}', 'bad_request colour'],
    ['unknown and known', '{"colour":1,"text":"x"}', 'bad_request colour'],
    ['only a cid', '{"cid":"c1"}', 'bad_request text'],
    ['empty text', '{"text":""}', 'bad_request text'],
    ['text that is none', '{"text":1}', 'bad_request text'],
    ['null text', '{"text":null}', 'bad_request text'],
    ['empty cid', '{"cid":"","text":"x"}', 'bad_request cid'],
    ['long cid', `{"cid":"${'c'.repeat(129)}","text":"x"}`, 'bad_request cid'],
    ['cid as number', '{"cid":1,"text":"x"}', 'bad_request cid'],
    ['type that is none', '{"type":"shout","text":"x"}', 'bad_request type'],
    ['type as number', '{"type":1,"text":"x"}', 'bad_request type'],
    ['system', '{"type":"system","text":"x"}', 'forbidden type'],
    ['custom without data', '{"type":"custom","text":"x"}', 'bad_request data'],
    ['target on text', '{"text":"x","target":1}', 'bad_request target'],
    ['replyTo 0', '{"text":"x","replyTo":0}', 'bad_request replyTo'],
    ['replyTo 1.5', '{"text":"x","replyTo":1.5}', 'bad_request replyTo'],
    ['thread as text', '{"text":"x","thread":"1"}', 'bad_request thread'],
    ['mentions', '{"text":"x","mentions":"bob"}', 'bad_request mentions'],
    ['a mention', '{"text":"x","mentions":["bob",1]}', 'bad_request mentions.1'],
    ['no attachments', '{"attachments":[]}', 'bad_request attachments'],
    ['an attachment without url or file', '{"attachments":[{"type":"image"}]}', 'bad_request attachments.0.url'],
    ['a size below 0', '{"attachments":[{"type":"a","url":"b","size":-1}]}', 'bad_request attachments.0.size'],
    ['no ttl', '{"text":"x","ttl":0}', 'bad_request ttl'],
    ['an edit to nothing', '{"type":"edit","target":1}', 'bad_request text'],
    ['a deletion of nothing', '{"type":"delete"}', 'bad_request target'],
    ['a reaction without emoji', '{"type":"reaction","target":1}', 'bad_request data'],
    ['a pin', '{"type":"pin","target":1}', 'forbidden target'],
    ['an unpin', '{"type":"unpin","target":1}', 'forbidden target'],
    ['location', '{"type":"location","data":{"lat":48.4,"lon":9.99}}', { data: { lat: 48.4, lon: 9.99 } }],
    [
      'a place with words',
      '{"type":"location","text":"here","data":{"lat":-90,"lon":180,"accuracy":0.5,"name":"Pole"}}',
      { text: 'here', data: { lat: -90, lon: 180, accuracy: 0.5, name: 'Pole' } },
    ],
    ['location without data', '{"type":"location","text":"here"}', 'bad_request data'],
    ['location without lon', '{"type":"location","data":{"lat":1}}', 'bad_request data'],
    ['lat above 90', '{"type":"location","data":{"lat":90.1,"lon":0}}', 'bad_request data'],
    ['lon as text', '{"type":"location","data":{"lat":0,"lon":"0"}}', 'bad_request data'],
    ['accuracy below 0', '{"type":"location","data":{"lat":0,"lon":0,"accuracy":-1}}', 'bad_request data'],
    ['more of a location', '{"type":"location","data":{"lat":0,"lon":0,"zoom":3}}', 'bad_request data'],
    ['encrypted', '{"type":"encrypted","data":"q83v/+=="}', { type: 'encrypted', data: 'q83v/+==' }],
    ['encrypted for URLs', '{"type":"encrypted","data":"q83v_-","ttl":60}', { data: 'q83v_-' }],
    ['encrypted without data', '{"type":"encrypted"}', 'bad_request data'],
    ['encrypted nothing', '{"type":"encrypted","data":""}', 'bad_request data'],
    ['encrypted, not base64', '{"type":"encrypted","data":"q8 3v"}', 'bad_request data'],
    ['an encrypted object', '{"type":"encrypted","data":{"a":1}}', 'bad_request data'],
    ['encrypted with text', '{"type":"encrypted","data":"q83v","text":"x"}', 'bad_request text'],
    ['encrypted with mentions', '{"type":"encrypted","data":"q83v","mentions":["@bob"]}', 'bad_request mentions'],
    ['too large', 'x'.repeat(20_001), 'too_large'],
  ]
  let taken = 0
  for (const [what, payload, expected] of table) {
    if (typeof expected === 'string') {
      t.equal(codeOf(await alice.refused('rooms/lobby/messages', payload)), expected, what)
      continue
    }
    await alice.publish('rooms/lobby/messages', payload)
    const messages = await alice.on('rooms/lobby/messages', ++taken)
    t.match(messages.at(-1), { seq: taken, from: 'alice', ...expected }, what)
  }
  await alice.publish('rooms/lobby/messages', 'x'.repeat(20_000))
  t.equal((await alice.on('rooms/lobby/messages', taken + 1)).length, taken + 1, 'refused ones took no number')
  t.match(await alice.refused('rooms/lobby/messages', `{"cid":"c","text":"${'x'.repeat(20_000)}"}`), {
    re: 'c',
    error: { code: 'too_large' },
  })
})

t.test('a message inside a request is a message', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await Person.connect(t, broker, 'alice')

  t.test('hooks are asked about it too', async (t) => {
    const asked: string[] = []
    broker.running.aedes.authorizePublish = (_client, { topic }, done) => {
      asked.push(topic)
      done(topic === 'rooms/lobby/messages' ? new Error('closed today') : null)
    }
    t.teardown(() => (broker.running.aedes.authorizePublish = (_client, _packet, done) => done(null)))
    t.equal(await alice.fails('send', { room: 'lobby', text: 'hi' }), 'forbidden')
    t.same(asked, ['users/alice/requests/send', 'rooms/lobby/messages'])
  })

  t.test('it needs something to say, and has a depth', async (t) => {
    t.equal(await alice.fails('send', { room: 'lobby' }), 'bad_request text')
    const deep = `{"id":"d","room":"lobby","data":${'['.repeat(5000)}${']'.repeat(5000)}}`
    t.match(await alice.refused('users/alice/requests/send', deep), { re: 'd', error: { code: 'bad_request' } })
  })
})
