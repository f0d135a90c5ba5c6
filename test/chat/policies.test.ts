/** What messages may hold: by the broker, and by the room they go to. */
import t from 'tap'
import { loadConfig } from '../../broker/config/config.js'
import { people } from '../helpers/rooms.js'
import { upload } from '../helpers/uploads.js'

const image = (more: object = {}) => ({
  type: 'image',
  url: 'https://cdn.example.com/a.png',
  mime: 'image/png',
  size: 1000,
  ...more,
})
const attached = (...attachments: object[]) => ({ attachments })

t.test('attachments are held to what they state, and a refusal names the one that is wrong', async (t) => {
  const attachments = {
    max: 2,
    bytes: 1000,
    types: ['image/*', 'text/plain'],
    hosts: ['cdn.example.com', '*.files.example'],
  }
  const { alice } = await people(t, ['alice'], { policies: { attachments } })
  await alice.get('rooms.create', { room: 'den' })
  const answer = async (...given: object[]) => {
    const { ok, error } = await alice.send('rooms/den/messages', { text: 'look', ...attached(...given) })
    return ok ? 'taken' : `${error.code} ${error.field}`
  }
  t.equal(
    await answer(image(), image({ url: 'http://a.b.files.example/x', mime: 'TEXT/plain; charset=utf-8' })),
    'taken',
  )
  t.equal(await answer(image(), image(), image()), 'too_large attachments')
  t.equal(await answer(image(), image({ size: 1001 })), 'too_large attachments.1.size')
  t.equal(await answer(image({ size: undefined })), 'too_large attachments.0.size')
  t.equal(await answer(image({ mime: 'imagex/png' })), 'forbidden attachments.0.mime')
  t.equal(await answer(image({ mime: undefined })), 'forbidden attachments.0.mime')
  for (const url of [
    'https://cdn.example.com.evil.org/a',
    'https://evil.org/cdn.example.com',
    'https://cdn.example.com@evil.org/a',
    'https://xfiles.example/a',
    'ftp://cdn.example.com/a',
    'javascript:alert(1)//cdn.example.com',
    'http://cdn.example.com\\@evil.com',
    'https:\\\\cdn.example.com/a',
    'https://cdn.example.com/a\tb',
    ' https://cdn.example.com/a',
    'https://cdn.example.com/a\u0000',
    'https://CDN.example.com/a',
    'https://user:pw@cdn.example.com/a',
    'https://user@cdn.example.com/a',
    'https:/cdn.example.com/a',
    'no url',
  ])
    t.equal(await answer(image({ url })), 'forbidden attachments.0.url', url)
  const edit = { type: 'edit', target: 1, ...attached(image({ size: 1001 })) }
  t.match(await alice.refused('rooms/den/messages', edit), { error: { code: 'too_large' } }, 'edits too')
})

t.test('links are found however they are written, and other dots are not links', async (t) => {
  const { alice } = await people(t, ['alice'], { policies: { links: 'deny' } })
  await alice.get('rooms.create', { room: 'den' })
  for (const text of [
    'see https://x.y',
    'HTTP://X',
    'www.shop',
    'at Example.COM now',
    'ｅｖｉｌ．ｃｏｍ',
    'пример.com/x',
    'a.b.io',
    'evil。com',
    'evil｡com',
    'evil\u200b.com',
    'evil.рф',
    'visit xn--e1afmkfd.xn--p1ai today',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,<b>',
    'data:;base64,aGk=',
    'mailto:me@host',
    'at 192.0.2.7:8080',
    '[2001:db8::1]',
  ])
    t.match(await alice.send('rooms/den/messages', { text }), { error: { code: 'forbidden', field: 'text' } }, text)
  for (const text of [
    'e.g. this',
    'end.Next one',
    'v1.2.3',
    'config.yaml',
    'a:b',
    '3.50',
    '1.2.3.4',
    'data: five',
    '完成。中国很大',
    'i.e.this',
  ])
    t.match(await alice.send('rooms/den/messages', { text }), { ok: true }, text)
})

t.test('a room denies more than the broker, and cannot allow what the broker denies', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], { policies: { textLength: 10 } })
  const policies = { textLength: 100, links: 'deny', customData: 'deny', attachments: { max: 0 } }
  await alice.get('rooms.create', { room: 'pub' })
  t.match(await alice.get('rooms.create', { room: 'den', policies }), { policies })
  const says = async (room: string, message: object) => {
    const { ok, error } = await alice.send(`rooms/${room}/messages`, message)
    return ok ? 'taken' : `${error.code} ${error.field}`
  }
  t.equal(await says('den', { text: '0123456789a' }), 'too_large text')
  t.equal(await says('den', { text: '👍🏽👍🏽👍🏽👍🏽👍🏽' }), 'taken', 'characters, not bytes')
  t.equal(await says('den', { text: 'hi', data: 1 }), 'forbidden data')
  t.match(await alice.refused('rooms/den/messages', { temp: 21 }), { error: { code: 'forbidden', field: 'data' } })
  t.equal(await says('den', { type: 'reaction', target: 1, data: { emoji: '👍' } }), 'taken')
  t.equal(await says('den', { type: 'location', data: { lat: 1, lon: 2 } }), 'taken')
  t.equal(await says('den', { type: 'encrypted', data: 'q83v' }), 'taken')
  t.equal(await says('den', attached(image())), 'forbidden attachments')
  t.equal(await says('pub', { ...attached(image({ shoe: 3 })), data: 1 }), 'taken')
  t.equal(await bob.fails('rooms.update', { room: 'pub', policies }), 'forbidden')
  t.equal(await alice.fails('rooms.update', { room: 'pub', policies: { links: 'no' } }), 'bad_request policies.links')
  await alice.get('rooms.update', { room: 'pub', policies: { customData: 'deny' } })
  t.equal(await says('pub', attached(image({ shoe: 3 }))), 'forbidden attachments.0.shoe')
  await alice.get('rooms.update', { room: 'den', policies: null })
  t.equal(await says('den', { text: 'hi', data: 1 }), 'taken')
  await alice.subscribe('users/bob/messages')
  t.match(await alice.send('users/bob/messages', { text: '0123456789a' }), { error: { code: 'too_large' } })
})

t.test('policies that make no sense stop the start', (t) => {
  const load = (set: string) => () => loadConfig({ env: {}, set: [set], cwd: t.testdir({}) })
  t.throws(load('policies.links=no'), /policies\.links: expected one of allow, moderators, deny/)
  t.throws(load('policies.attachments.types=[image]'), /policies\.attachments\.types\[0\]: expected text matching/)
  t.throws(load('policies.textLength=0'), /policies\.textLength: expected an integer/)
  t.end()
})

t.test('files and links can be left to the moderators of a room, or to nobody', async (t) => {
  const media = { shared: true }
  const { broker, alice, bob, connect } = await people(t, ['alice', 'bob'], { media })
  const [hers, his] = [await upload(broker, 'alice', Buffer.from('a')), await upload(broker, 'bob', Buffer.from('b'))]
  await alice.get('rooms.create', { room: 'den' })
  await bob.get('rooms.join', { room: 'den' })
  const fileOf = { alice: hers, bob: his }
  const file = (person: typeof alice) => attached({ type: 'file', file: fileOf[person.user as 'alice' | 'bob'] })
  const answer = async (person: typeof alice, message: object, topic = 'rooms/den/messages') => {
    const { ok, error } = await person.send(topic, message)
    return ok ? 'taken' : `${error.code} ${error.field}`
  }
  const link = { text: 'see https://example.com/' }
  const decree = (policies: object) => alice.get('rooms.update', { room: 'den', policies })
  await decree({ files: 'moderators', links: 'moderators' })
  t.equal(await answer(alice, file(alice)), 'taken')
  t.equal(await answer(alice, link), 'taken')
  t.equal(await answer(bob, file(bob)), 'forbidden attachments.0.file')
  t.equal(await answer(bob, link), 'forbidden text')
  t.equal(await answer(bob, attached(image())), 'taken', 'by its address, it is no file')
  const { seq } = (await bob.send('rooms/den/messages', { text: 'plain' })).result
  t.equal(await answer(bob, { type: 'edit', target: seq, ...file(bob) }), 'forbidden attachments.0.file', 'in an edit')
  t.equal(await answer(bob, { forward: { room: 'den', seq: 1 } }), 'forbidden attachments.0.file', 'forwarded')
  t.equal(await answer(bob, file(bob), 'users/alice/messages'), 'taken', 'elsewhere')
  await alice.get('rooms.setRole', { room: 'den', user: 'bob', role: 'moderator' })
  t.equal(await answer(bob, file(bob)), 'taken')
  t.equal(await answer(bob, link), 'taken')
  await decree({ files: 'deny' })
  t.equal(await answer(alice, file(alice)), 'forbidden attachments.0.file')
  t.equal(await answer(bob, link), 'taken')
  await decree({ files: 'allow' })
  const carol = await connect('carol')
  await carol.get('rooms.join', { room: 'den' })
  t.equal(await answer(carol, { forward: { room: 'den', seq: 1 } }), 'taken')
})

t.test('what the broker leaves to moderators no room gives to all, and conversations have none', async (t) => {
  const policies = { files: 'moderators' }
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], { media: { shared: true }, policies })
  await alice.get('rooms.create', { room: 'den', policies: { files: 'allow' } })
  await bob.get('rooms.join', { room: 'den' })
  const send = async (person: typeof alice, topic: string) => {
    const file = await upload(broker, person.user, Buffer.from('a'))
    return (await person.send(topic, attached({ type: 'file', file }))).error?.code
  }
  t.equal(await send(alice, 'rooms/den/messages'), undefined)
  t.equal(await send(bob, 'rooms/den/messages'), 'forbidden')
  t.equal(await send(alice, 'users/bob/messages'), 'forbidden')
})
