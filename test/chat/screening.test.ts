/** Who looks at messages before they are written: whatever the door, and whatever happens meanwhile. */
import t from 'tap'
import type { Screen, Verdict } from '../../broker/chat/messages/screening.js'
import type { CheckedMessage } from '../../broker/chat/model/message.js'
import { rewritten } from '../../broker/chat/model/message.js'
import { Refusal } from '../../schemas/errors.js'
import { fetchFrom } from '../helpers/http.js'
import { textOf } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

/** Refuses what says spam, and makes heck of hell. */
const judge: Screen = { screen: (_actor, _room, message) => judged(message) }

/** The same, once it is let go on: as if it asked someone far away. */
class Slow implements Screen {
  readonly asked: { answer: () => void }[] = []
  #came: (() => void)[] = []

  screen(_actor: unknown, _room: string, message: CheckedMessage): Promise<Verdict | undefined> {
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        try {
          resolve(judged(message))
        } catch (error) {
          reject(error)
        }
      }
      this.asked.push({ answer })
      for (const came of this.#came.splice(0)) came()
    })
  }

  async next(): Promise<() => void> {
    while (this.asked.length === 0) await new Promise<void>((resolve) => this.#came.push(resolve))
    return this.asked.shift()!.answer
  }
}

function judged(message: CheckedMessage): Verdict | undefined {
  const { text } = message
  if (text?.includes('spam')) throw new Refusal('forbidden', 'no spam', { field: 'text' })
  return text?.includes('hell') ? { message: rewritten(message, { text: text.replace('hell', 'heck') }) } : undefined
}

t.test('a screen sees rooms, conversations, edits and bare text, through every door', async (t) => {
  const { broker, alice, bob } = await people(t, ['alice', 'bob'], {}, { screens: [judge] })
  await alice.get('rooms.create', { room: 'den' })
  await bob.subscribe(['rooms/den/messages', 'users/bob/messages'])
  t.match(await alice.refused('rooms/den/messages', 'spam'), { error: { code: 'forbidden', field: 'text' } })
  t.match(await alice.refused('rooms/den/text', 'spam'), { error: { code: 'forbidden' } })
  t.match(await alice.refused('users/bob/messages', { text: 'spam', data: 1 }), { error: { code: 'forbidden' } })
  t.equal(await alice.fails('send', { room: 'den', text: 'spam' }), 'forbidden text')
  const sent = await fetchFrom(broker, '/v1/rooms/den/messages', {
    method: 'POST',
    as: 'alice',
    body: { text: 'spam' },
  })
  t.equal(sent.status, 403)
  await alice.say('den', 'what the hell')
  t.match(await alice.refused('rooms/den/messages', { type: 'edit', target: 1, text: 'spam' }), { ok: false })
  await alice.say('den', { type: 'edit', target: 1, text: 'hell again', mentions: ['@bob'] })
  await alice.tell('bob', { text: 'hell', attachments: [{ type: 'file', url: 'https://example.com/a' }] })
  t.match(await bob.on('rooms/den/messages', 2), [
    { text: 'what the heck' },
    { type: 'edit', text: 'heck again', mentions: ['@bob'] },
  ])
  t.match(await bob.on('users/bob/messages', 1), [{ text: 'heck', attachments: [{ type: 'file' }] }])
})

t.test('a retry of what was rewritten is the same message; one of what was refused is refused', async (t) => {
  const { alice, bob } = await people(t, ['alice', 'bob'], {}, { screens: [judge] })
  await alice.get('rooms.create', { room: 'den' })
  await bob.subscribe('rooms/den/messages')
  const hell = { cid: 'once', text: 'hell' }
  t.match(await alice.send('rooms/den/messages', hell), { ok: true, result: { seq: 1 } })
  t.match(await alice.send('rooms/den/messages', hell), { ok: true, result: { seq: 1 } })
  t.match(await alice.send('rooms/den/messages', { cid: 'once', text: 'heck' }), { error: { code: 'conflict' } })
  const spam = { cid: 'never', text: 'spam' }
  t.match(await alice.send('rooms/den/messages', spam), { error: { code: 'forbidden' } })
  t.match(await alice.send('rooms/den/messages', spam), { error: { code: 'forbidden' } })
})

t.test('what one screen made of a message is what the next one sees', async (t) => {
  const shout: Screen = {
    screen: (_actor, _room, message) => ({ message: rewritten(message, { text: message.text!.toUpperCase() }) }),
  }
  const { alice, bob } = await people(t, ['alice', 'bob'], {}, { screens: [judge, new Answering(), shout] })
  await alice.get('rooms.create', { room: 'den' })
  await bob.subscribe('rooms/den/messages')
  await alice.say('den', 'hell')
  t.match(await bob.on('rooms/den/messages', 1), [{ text: 'HECK' }])
})

/** Answers later, and has nothing to say. */
class Answering implements Screen {
  async screen(): Promise<undefined> {}
}

t.test('messages wait for their screen in order, and who was removed meanwhile is not heard', async (t) => {
  const slow = new Slow()
  const { alice, bob } = await people(t, ['alice', 'bob'], {}, { screens: [slow] })
  await alice.get('rooms.create', { room: 'den' })
  await bob.get('rooms.join', { room: 'den' })
  await bob.subscribe('rooms/den/messages')
  const said = [bob.say('den', 'one'), bob.say('den', 'hell'), bob.say('den', 'three')]
  for (let i = 0; i < 2; i++) (await slow.next())()
  const last = await slow.next()
  await alice.get('rooms.mute', { room: 'den', user: 'bob' })
  last()
  await Promise.all(said)
  await bob.inbox.wait(2)
  const { messages } = await alice.get('history', { room: 'den' })
  t.same(
    messages.map((message: object) => textOf(Buffer.from(JSON.stringify(message)))),
    ['one', 'heck'],
  )
})
