/** What the SDK keeps of rooms and messages, and sends, compared with the broker, with a network that fails. */
import t from 'tap'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import type { GetToken } from '../../client/connection/credentials.js'
import type { LoggedMessage } from '../../schemas/commands/shown-message.js'
import { startTestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { Random } from '../helpers/random.js'
import { check, settle } from '../helpers/sdk/checker.js'
import { Crowd, personOf } from '../helpers/sdk/crowd.js'
import { NodeClient } from '../helpers/sdk/node-client.js'

/** Seconds: tokens end again and again. One that is refused may have come too late, on a slow machine; two in a row sign out, so that the next one lasts. */
const TOKEN_LIFE = 3
const LONG_LIFE = 60

const random = Random.from('SDK_SEED', 1_742_206_492)
t.comment(`SDK_SEED=${random.seed} repeats what is done`)

async function start(t: Parameters<typeof startTestBroker>[0]) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const crowd = await Crowd.gather(random, broker)
  const getToken: GetToken = async ({ why }) => {
    const secret = await loadTokenSecret(broker.config.auth.jwt, broker.config.node.dataDir)
    return mintToken(secret, 'alice', { ttl: why === 'refused' ? LONG_LIFE : TOKEN_LIFE })
  }
  const auth = { getToken }
  const client = await NodeClient.start(t, { url: `http://127.0.0.1:${proxy.port}`, auth })
  return { broker, proxy, crowd, client }
}

t.test('what was said before, meanwhile and later is kept, with what was changed', async (t) => {
  const { broker, crowd, client, proxy } = await start(t)
  const { alice } = crowd
  const bob = await personOf(broker, 'bob')
  const first = async (): Promise<LoggedMessage | undefined> =>
    (await client.know()).kept?.messages.find(({ room, message }) => room === 'tea' && message.seq === seq)?.message
  const { seq } = await bob.send({ room: 'tea', text: 'before', mentions: ['@alice'] })
  await bob.send({ room: '@alice', text: 'psst' })
  await settle(t, crowd, client, 'at first')
  t.same((await client.know()).rooms.map(({ room }) => room).sort(), ['den', 'dm:alice:bob', 'own', 'tea'])
  await bob.send({ room: 'tea', type: 'edit', target: seq, text: 'better' })
  await alice.send({ room: 'tea', type: 'reaction', target: seq, data: { emoji: '👍' } })
  await bob.send({ room: 'tea', type: 'reaction', target: seq, data: { emoji: '👍' } })
  await bob.send({ room: 'tea', type: 'pin', target: seq })
  await bob.send({ room: 'tea', text: 'in a thread', thread: seq })
  await settle(t, crowd, client, 'live')
  t.match(await first(), { text: 'better', edits: 1, replies: { count: 1 } })
  proxy.refuse()
  await bob.send({ room: 'tea', type: 'edit', target: seq, text: 'best' })
  await bob.send({ room: 'tea', type: 'reaction', target: seq, data: { emoji: '👍', remove: true } })
  await bob.send({ room: 'tea', text: 'again in it', thread: seq })
  await bob.send({ room: 'tea', text: 'said meanwhile' })
  proxy.heal()
  await settle(t, crowd, client, 'after the cut')
  t.match(await first(), { text: 'best', edits: 2, reactions: [{ count: 1, me: true }] })
  await bob.send({ room: 'tea', type: 'delete', target: seq })
  await settle(t, crowd, client, 'deleted')
})

t.test('whatever people and the network do, the client knows what the broker knows', async (t) => {
  const { broker, crowd, client, proxy } = await start(t)
  const faults = {
    cut: () => proxy.cut(),
    blackhole: () => proxy.blackhole(),
    holdAnswers: () => proxy.holdAnswers(),
    refuse: () => proxy.refuse(),
    restart: () => broker.restart(),
    beginAnew: () => client.beginAnew(),
    full: () => client.setFull(true),
  }
  const heal = (): void => {
    client.setFull(false)
    if (random.chance(0.3)) proxy.cut()
    proxy.heal()
  }
  await check(t, { random, crowd, client, faults, heal, rounds: 8 })
})
