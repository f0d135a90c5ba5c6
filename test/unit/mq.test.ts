/** `broker.mq` by the suite of mqemitter, and what Aedes expects beyond it. */
import { createRequire } from 'node:module'
import t from 'tap'
import { Mq, type MqOptions } from '../../broker/mqtt/mq.js'
import { type NodeTest, nodeTest } from '../helpers/node-test.js'

type AbstractSuite = (options: { test: NodeTest; builder: (options?: MqOptions) => Mq }) => void
const abstractSuite: AbstractSuite = createRequire(import.meta.url)('mqemitter/abstractTest.js')

t.test('the abstract suite of mqemitter', (t) => {
  abstractSuite({ test: nodeTest(t), builder: (options) => new Mq(options) })
  t.end()
})

t.test('a listener that never calls back holds up neither others nor the next message', async (t) => {
  const mq = new Mq()
  const heard: number[] = []
  mq.on('a', () => {})
  mq.on('a', (message: { n: number }, done) => {
    heard.push(message.n)
    done()
  })
  for (let n = 0; n < 300; n++) mq.emit({ topic: 'a', n })
  t.equal(heard.length, 300)
  t.equal(mq.current, 300, 'they count as current')
})

t.test('a listener that calls back twice counts once', async (t) => {
  const mq = new Mq()
  let done = 0
  mq.on('a', (_message, heard) => {
    heard()
    heard()
  })
  mq.on('a', () => {})
  mq.emit({ topic: 'a' }, () => done++)
  t.equal(done, 0, 'the other has not called back')
  t.equal(mq.current, 1)
})

t.test('wildcards reach $SYS here: listeners are plugins', async (t) => {
  const mq = new Mq()
  const heard: string[] = []
  const listen = (name: string) => (message: { topic: string }, done: () => void) => {
    heard.push(`${name} ${message.topic}`)
    done()
  }
  mq.on('#', listen('all'))
  mq.on('+/x', listen('first'))
  mq.emit({ topic: '$SYS/x' })
  mq.emit({ topic: 'rooms/x' })
  t.same(heard.sort(), ['all $SYS/x', 'all rooms/x', 'first $SYS/x', 'first rooms/x'])
  t.ok(mq.hears('anything'))
})

t.test('removal', async (t) => {
  const mq = new Mq()
  let heard = 0
  const listener = (_message: unknown, done: () => void): void => {
    heard++
    done()
  }
  mq.on('a', listener)
  mq.on('a', listener)
  mq.emit({ topic: 'a' })
  t.equal(heard, 2, 'given twice, called twice')
  await new Promise<void>((resolve) => mq.removeListener('a', listener, resolve))
  mq.emit({ topic: 'a' })
  t.equal(heard, 3, 'one is removed at a time')
  await new Promise<void>((resolve) => mq.removeAllListeners('a', resolve))
  await new Promise<void>((resolve) => mq.removeListener('a', listener, resolve))
  mq.emit({ topic: 'a' })
  t.equal(heard, 3)
  t.notOk(mq.hears('a'))
})
