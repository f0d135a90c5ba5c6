/** What the broker does not take for a moment is sent again when it asks for it, whatever the clock of the device shows then. */
import t from 'tap'
import { ChatError } from '../../client/base/chat-error.js'
import { Scope } from '../../client/base/scope.js'
import { Dispatcher } from '../../client/outbox/dispatcher.js'
import { Item } from '../../client/outbox/item.js'
import { settled } from '../helpers/manual-clock.js'
import { ManualEnv } from '../helpers/manual-env.js'

const DAY = 86_400_000

function stage() {
  const env = new ManualEnv(0)
  /** Ms at which something was sent, by a clock that nobody sets. */
  const sent: number[] = []
  let passed = 0
  const dispatcher = new Dispatcher(env, { changed: async () => {}, accepted: () => {}, failed: () => {} })
  const connect = (): Scope => {
    const scope = new Scope()
    const deliver = async (): Promise<never> => {
      sent.push(passed)
      throw new ChatError('rate_limited', 'slow down', { retryAfter: 10 })
    }
    dispatcher.begin({ signal: scope.signal, deliver })
    return scope
  }
  const owner = { retry: () => {}, cancel: async () => true }
  dispatcher.push(new Item(owner, ['a', 1], { cid: 'c', room: 'tea', since: env.now(), input: { text: 'hello' } }))
  const pass = async (seconds: number): Promise<void> => {
    await settled()
    for (let i = 0; i < seconds; i++) {
      passed++
      await env.pass(1000)
    }
  }
  return { env, sent, connect, pass }
}

t.test('it is sent again after the time that the broker asks for', async (t) => {
  const { env, sent, connect, pass } = stage()
  const connection = connect()
  await pass(25)
  t.same(sent, [0, 10, 20])
  connection.end(null)
  t.equal(env.running, 0)
  await pass(1)
  connect()
  await pass(5)
  t.same(sent, [0, 10, 20, 30], 'not earlier on another connection')
})

t.test('a clock that is set back by a day delays nothing', async (t) => {
  const { env, sent, connect, pass } = stage()
  const connection = connect()
  await pass(1)
  env.set(-DAY)
  await pass(14)
  t.same(sent, [0, 10])
  connection.end(null)
  env.set(-DAY)
  connect()
  await pass(11)
  t.same(sent, [0, 10, 25], 'nor on another connection, by more than was asked for')
})
