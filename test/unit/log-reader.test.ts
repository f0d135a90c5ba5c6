/** How a program that reads the log of a room goes on when the broker refuses it for a moment, without a broker. */
import t from 'tap'
import { ChatError } from '../../client/base/chat-error.js'
import { LiveValue } from '../../client/base/live.js'
import type { Core } from '../../client/rooms/core.js'
import { messagesOf } from '../../client/rooms/log-reader.js'
import { ManualClock } from '../helpers/manual-clock.js'

/** Of a broker that answers with these, one after another: a page with a message, or a refusal. Also the ms between the requests. */
function reading(answers: readonly (ChatError | 'page')[], random: number) {
  const clock = new ManualClock()
  const asked: number[] = []
  const history = async () => {
    asked.push(clock.now())
    const answer = answers[asked.length - 1]
    if (answer instanceof ChatError) throw answer
    return { messages: [{ seq: asked.length, text: 'tea' }], more: true, after: asked.length }
  }
  const core = {
    ask: { history },
    replica: { rooms: new Map(), user: 'bot', subscribe: () => () => {} },
    status: new LiveValue({ state: 'online', since: 0 }),
    clock: { now: () => clock.now(), timer: clock.timer.bind(clock), random: () => random },
  } as unknown as Core
  const messages = messagesOf({ core, id: 'tea' }, { after: 0 })[Symbol.asyncIterator]()
  const next = async (): Promise<void> => {
    let isThere = false
    const read = messages.next().then(() => (isThere = true))
    // A timer for each answer, at most.
    for (const _ of answers) if (!isThere) await clock.pass(clock.untilNext ?? 0)
    await read
  }
  const waits = (): number[] => asked.slice(1).map((at, i) => at - asked[i]!)
  return { next, waits }
}

t.test('what is refused again and again is asked for later each time, at random, up to 30 s', async (t) => {
  const refused = Array<ChatError>(7).fill(new ChatError('unavailable', 'the store is down'))
  const { next, waits } = reading([...refused, 'page', refused[0]!, 'page'], 1)
  await next()
  t.same(waits(), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  await next()
  t.same(waits().slice(7), [0, 1000], 'after a page it begins anew')
  const early = reading([...refused, 'page'], 0)
  await early.next()
  t.same(new Set(early.waits()), new Set([500]))
})

t.test('it waits as long as the broker asks for, at least', async (t) => {
  const slow = new ChatError('rate_limited', 'too fast', { retryAfter: 20 })
  const { next, waits } = reading([slow, slow, 'page'], 0.5)
  await next()
  t.same(waits(), [25_000, 25_000])
})
