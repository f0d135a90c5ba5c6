/** What the SDK asks the broker of rooms, as often as it takes. */
import t from 'tap'
import { ChatError } from '../../client/base/chat-error.js'
import { Chores } from '../../client/engine/chores.js'
import { ManualClock, settled } from '../helpers/manual-clock.js'

/** Each act goes on until the test ends it. */
function scene() {
  const clock = new ManualClock()
  const open = new Map<string, (error?: ChatError) => void>()
  const begun: string[] = []
  const act = (room: string): Promise<void> => {
    if (open.has(room)) throw new Error(`${room} twice`)
    begun.push(room)
    return new Promise((resolve, reject) => {
      open.set(room, (error) => {
        open.delete(room)
        if (error) reject(error)
        else resolve()
      })
    })
  }
  const end = async (room: string, error?: ChatError): Promise<void> => {
    open.get(room)!(error)
    await settled()
  }
  return { clock, open, begun, end, chores: new Chores(act, clock) }
}

const busy = (retryAfter?: number) =>
  new ChatError('rate_limited', 'too fast', retryAfter === undefined ? {} : { retryAfter })

t.test('eight at a time, and none twice at once', async (t) => {
  const { open, begun, end, chores } = scene()
  chores.up()
  for (let i = 0; i < 20; i++) chores.add(`room${i}`)
  t.equal(open.size, 8)
  chores.add('room0')
  await end('room1')
  t.equal(open.size, 8)
  t.equal(begun.at(-1), 'room8')
  while (open.size > 0) await end([...open.keys()].at(-1)!)
  t.equal(begun.length, 21, 'what was wanted anew meanwhile is done anew')
  t.equal(begun.filter((room) => room === 'room0').length, 2)
})

t.test(
  'what fails for a moment is done again: after 5 s, then later, and not before the broker asks for it',
  async (t) => {
    const { clock, open, begun, end, chores } = scene()
    chores.up()
    chores.add('tea')
    await end('tea', busy())
    chores.add('den')
    t.equal(open.size, 0, 'others wait, too')
    await clock.pass(4999)
    t.equal(open.size, 0)
    await clock.pass(1)
    t.same([...open.keys()].sort(), ['den', 'tea'])
    await end('tea', busy())
    await end('den', busy())
    t.equal(clock.running, 1)
    t.equal(clock.untilNext, 10_000)
    await clock.pass(10_000)
    await end('tea', busy(60))
    t.equal(clock.untilNext, 60_000)
    await end('den')
    await clock.pass(60_000)
    await end('tea', busy())
    t.equal(clock.untilNext, 5000, 'one has gone well since')
    t.equal(begun.length, 6)
  },
)

t.test('what is refused for good is given up', async (t) => {
  const { clock, open, end, chores } = scene()
  chores.up()
  chores.add('tea')
  await end('tea', new ChatError('forbidden', 'no'))
  t.equal(open.size, 0)
  t.equal(clock.running, 0)
})

t.test('without a connection all waits, with no timer, for the next one', async (t) => {
  const { clock, open, end, chores } = scene()
  chores.add('tea')
  t.equal(open.size, 0)
  chores.up()
  chores.add('den')
  await end('den', busy())
  t.equal(clock.running, 1)
  chores.down()
  t.equal(clock.running, 0)
  await end('tea', new ChatError('offline', 'lost'))
  t.equal(clock.running, 0)
  chores.up()
  t.same([...open.keys()].sort(), ['den', 'tea'])
})
