/** What the SDK keeps and sends, with two nodes on one Redis behind one address, of which one or the other is reached, restarted, or cut off. */
import t from 'tap'
import { serveHttp } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { Random } from '../helpers/random.js'
import { twoNodes } from '../helpers/redis-nodes.js'
import { check } from '../helpers/sdk/checker.js'
import { Crowd } from '../helpers/sdk/crowd.js'
import { NodeClient } from '../helpers/sdk/node-client.js'

serveHttp()
const random = Random.from('SDK_SEED')
t.comment(`SDK_SEED=${random.seed} repeats what is done`)

t.test('whichever node it reaches, the client knows what the nodes know', async (t) => {
  const nodes = await twoNodes(t, { rooms: { list: [] }, limits: { rates: 'off' } })
  let reached = 0
  const proxy = await ByteProxy.start(t, () => Number(new URL(nodes[reached]!.wsUrl).port))
  // People are at the first one.
  const crowd = await Crowd.gather(random, nodes[0])
  const auth = { getToken: () => nodes[0].token('alice') }
  const client = await NodeClient.start(t, { url: `http://127.0.0.1:${proxy.port}`, auth })
  const goOver = (): void => {
    reached = 1 - reached
    proxy.cut()
  }
  const faults = {
    goOver,
    'goOver and back': () => {
      goOver()
      goOver()
    },
    'restart where it is': () => nodes[reached]!.restart(),
    'restart where it goes': async () => {
      await nodes[1 - reached]!.restart()
      goOver()
    },
    holdAnswers: () => proxy.holdAnswers(),
    beginAnew: () => client.beginAnew(),
  }
  const heal = (): void => {
    if (random.chance(0.5)) goOver()
    proxy.heal()
  }
  await check(t, { random, crowd, client, faults, heal, rounds: 8 })
})
