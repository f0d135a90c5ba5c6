/** The cutter of Redis' protocol, by which tests lose single messages. */
import t from 'tap'
import { pushOf, RespFrames } from '../helpers/resp-frames.js'

const FRAMES = [
  '+OK\r\n',
  '-ERR what\r\n',
  ':-3\r\n',
  '_\r\n',
  ',1.5\r\n',
  '#t\r\n',
  '$-1\r\n',
  '$0\r\n\r\n',
  '$7\r\na\r\n$2\r\n\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*2\r\n$1\r\na\r\n*2\r\n:1\r\n$1\r\nb\r\n',
  '%1\r\n+proto\r\n:3\r\n',
  '|1\r\n+ttl\r\n:3\r\n$1\r\na\r\n',
  '=7\r\ntxt:abc\r\n',
  '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\n>3\r\n\r\n',
]

t.test('frames are whole, however the bytes arrive', async (t) => {
  const bytes = Buffer.from(FRAMES.join(''))
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const cutter = new RespFrames()
    const found: string[] = []
    for (let at = 0; at < bytes.length; at += size)
      found.push(...cutter.take(bytes.subarray(at, at + size)).map(String))
    t.strictSame(found, FRAMES)
  }
})

t.test('messages of channels are told from replies', async (t) => {
  t.strictSame(pushOf(Buffer.from(FRAMES.at(-1)!)), ['message', 'c', '>3\r\n'])
  t.equal(pushOf(Buffer.from('*1\r\n$7\r\nmessage\r\n')), null)
})
