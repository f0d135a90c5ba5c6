/** Notifications that race with what another node does, which this one has not heard of yet. */
import t from 'tap'
import type { Publication, Publisher } from '../../broker/chat/model/publication.js'
import { Replies } from '../../broker/chat/model/replies.js'
import { Notifications } from '../../broker/chat/notices/notifications.js'
import { LocalBus } from '../../broker/store/bus.js'
import { commit } from '../../broker/store/commit.js'
import { Lane } from '../../broker/store/lane.js'
import type { Store } from '../../broker/store/store.js'
import { actorOf, openStore, raced } from '../helpers/node-pair.js'

const ROBOT = actorOf('robot', 'notifier')
const BOB = actorOf('bob')
const END = Number.MAX_SAFE_INTEGER

function notificationsOf(store: Store): Notifications {
  const replies = new Replies(new LocalBus())
  const failed = (error: unknown): void => void t.fail(String(error))
  return new Notifications({ store, replies, options: { keep: 100, ttl: 0 }, failed })
}

/** Resolves with the number of the notification, or with the code of the refusal. */
function notify(store: Store, collapseKey?: string): Promise<string> {
  const payload = Buffer.from(JSON.stringify({ title: 'x', body: '', collapseKey }))
  const publication: Publication = {
    ...{ topic: 'users/bob/notifications', payload, qos: 1, retain: false, ops: [], joins: true },
    lane: new Lane(store),
  }
  return new Promise((resolve, reject) => {
    const settled: Publisher['settled'] = (refusal, result) => resolve(refusal ? refusal.code : `${result!.seq}`)
    notificationsOf(store).publish(ROBOT, 'bob', publication, { settled }).catch(reject)
  })
}

async function deliver(store: Store, seq: number): Promise<void> {
  const notifications = notificationsOf(store)
  notifications.delivered('bob', seq)
  await notifications.close()
}

const ack = (store: Store) => notificationsOf(store).ack(BOB, null, END)
const removeBob = (store: Store) => commit(store, { ops: store.directory.deleteUserOps('bob', 2) })
const replace = (store: Store) => notify(store, 'k')

/** What one node does, what another does that does not know of it, what becomes of the second, and which are left. */
const RACES: readonly [
  name: string,
  first: (store: Store) => Promise<unknown>,
  second: (store: Store) => Promise<unknown>,
  outcome: unknown,
  left: object[],
][] = [
  ['two of one key', replace, replace, '3', [{ seq: 3, acked: null }]],
  ['one that is replaced while it is acknowledged', replace, ack, { acked: [2] }, [{ seq: 2 }]],
  ['one that is acknowledged while it is replaced', ack, replace, '2', [{ seq: 2, acked: null }]],
  ['one that is delivered while it is acknowledged', (store) => deliver(store, 1), ack, { acked: [1] }, [{ seq: 1 }]],
  ['two acknowledgements', ack, ack, { acked: [], unacked: 0 }, [{ seq: 1 }]],
  ['one to a user who is removed', removeBob, (store) => notify(store), 'not_found', [{ seq: 1 }]],
  ['a keyed one to a user who is removed', removeBob, replace, 'not_found', [{ seq: 1 }]],
  ['an acknowledgement of a user who is removed', removeBob, ack, { acked: [] }, [{ seq: 1, acked: null }]],
]

for (const [name, first, second, outcome, left] of RACES)
  t.test(name, async (t) => {
    const store = await openStore(t, ['bob', 'robot'])
    await notify(store, 'k')
    t.match(await raced(store, first, second), outcome)
    const { notifications } = JSON.parse(await notificationsOf(store).list(BOB, { limit: 10, maxBytes: 10_000 }))
    t.match(notifications, left)
    t.equal(notifications.length, left.length)
  })

t.test('what is known of a notification is kept by whoever is second', async (t) => {
  const store = await openStore(t, ['bob', 'robot'])
  await notify(store)
  await raced(store, (store) => deliver(store, 1), ack)
  t.match(JSON.parse(await notificationsOf(store).list(BOB, { limit: 10, maxBytes: 10_000 })).notifications, [
    { delivered: Number, acked: Number },
  ])
})
