/** The hub follows a log for as long as it has feeds, whether the store answers at once or later. */
import t from 'tap'
import { type Feed, Hub, type View, type ViewBatch } from '../../broker/hub.js'
import type { AppendListener, Followed, LogEntry } from '../../broker/store/logs.js'

const LOG = 'm:lobby'

/** A log that tells who follows it; `answer` says when. */
class Log {
  head = 0
  readonly listeners = new Set<AppendListener>()
  asked = 0
  answer: (followed: Followed) => Followed | Promise<Followed> = (followed) => followed

  follow(name: string, listener: AppendListener): Followed | Promise<Followed> {
    this.asked++
    this.listeners.add(listener)
    const head = (): number => this.head
    return this.answer({
      name,
      incarnation: 1,
      tail: 1,
      get head() {
        return head()
      },
      end: () => void this.listeners.delete(listener),
    })
  }

  append(): void {
    const entry: LogEntry = {
      ...{ seq: ++this.head, ts: 0, qos: 1, from: 'ann', origin: '', payload: Buffer.from('x'), extra: null },
    }
    for (const listener of this.listeners) listener({ log: LOG, entries: [entry] })
  }
}

class RecordedFeed implements Feed {
  slot = -1
  readonly accepted: number[] = []
  readonly followed: number[] = []

  accept({ first }: ViewBatch): void {
    this.accepted.push(first)
  }

  followedFrom(head: number): void {
    this.followed.push(head)
  }
}

function view(topic: string): View {
  return { cursor: topic, log: LOG, topic, form: null, room: 'lobby' }
}

const [MESSAGES, TEXT] = [view('rooms/lobby/messages'), view('rooms/lobby/text')]

t.test('one following serves all feeds of a log, and ends with the last of them', async (t) => {
  const log = new Log()
  const hub = new Hub(log, (error) => t.fail(String(error)))
  const feeds = [new RecordedFeed(), new RecordedFeed(), new RecordedFeed()] as const
  log.append()
  hub.attach(MESSAGES, feeds[0])
  t.equal(hub.headOf(LOG), 1)
  hub.attach(MESSAGES, feeds[1])
  hub.attach(TEXT, feeds[2])
  t.equal(log.asked, 1)
  log.append()
  t.equal(hub.headOf(LOG), 2)
  hub.detach(MESSAGES, feeds[0])
  hub.detach(TEXT, feeds[2])
  log.append()
  t.equal(log.listeners.size, 1)
  hub.detach(MESSAGES, feeds[1])
  t.equal(log.listeners.size, 0, 'a log without feeds is not followed')
  log.append()
  t.equal(hub.headOf(LOG), 0)
  t.same(
    feeds.map(({ accepted }) => accepted),
    [[2], [2, 3], [2]],
  )
  t.same(
    feeds.flatMap(({ followed }) => followed),
    [],
    'nothing was missed',
  )
})

t.test('when the store answers later, feeds are told up to where they have missed entries', async (t) => {
  const log = new Log()
  const hub = new Hub(log, (error) => t.fail(String(error)))
  const answers: (() => void)[] = []
  log.answer = (followed) => new Promise((resolve) => answers.push(() => resolve(followed)))
  const [early, gone] = [new RecordedFeed(), new RecordedFeed()]
  hub.attach(MESSAGES, early)
  hub.attach(MESSAGES, gone)
  t.equal(hub.headOf(LOG), 0)
  log.head = 7
  hub.detach(MESSAGES, gone)
  answers[0]!()
  await new Promise(setImmediate)
  t.same([early.followed, gone.followed], [[7], []])
  t.equal(hub.headOf(LOG), 7)
  hub.detach(MESSAGES, early)
  t.equal(log.listeners.size, 0)

  hub.attach(MESSAGES, early)
  hub.detach(MESSAGES, early)
  t.equal(log.asked, 2)
  answers[1]!()
  await new Promise(setImmediate)
  t.equal(log.listeners.size, 0, 'an answer that nobody waits for any more ends at once')
  t.same(early.followed, [7])
})

t.test('after a failure the hub asks again, while there are feeds', async (t) => {
  const log = new Log()
  const faults: unknown[] = []
  const hub = new Hub(log, (error) => faults.push(error))
  const broken = new Error('the store is broken')
  log.answer = () => Promise.reject(broken)
  const feed = new RecordedFeed()
  hub.attach(MESSAGES, feed)
  await new Promise(setImmediate)
  t.same(faults, [broken])
  log.answer = (followed) => followed
  log.head = 3
  const deadline = Date.now() + 10_000
  while (feed.followed.length === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  t.same(feed.followed, [3])
  t.equal(log.asked, 2)
})
