/** Sessions of ann, whose client moves between nodes; bob, who writes to her; and one who hears wills. */
import type { IPublishPacket } from 'mqtt-packet'
import type { Test } from 'tap'
import type { Store } from '../../broker/store/store.js'
import { type Clock, stillClock } from './clock.js'
import { connect5 } from './mqtt5.js'
import { type SharedBroker, startNodes } from './nodes.js'
import { textOf } from './people.js'
import { connectPacket, OPEN_ACL, type Opening, open, subscribe } from './protocol.js'
import { RawClient } from './raw-client.js'

export const LOG = 'rooms/den/messages'
export const TAKEN_OVER = 0x8e

/** Time stands still, unless the clock is the test's: nothing is taken because somebody was slow. */
export async function twoNodes(t: Test, clock: Clock | null = null) {
  if (!clock) stillClock(t)
  const cluster = await startNodes(t, { acl: OPEN_ACL, rooms: { list: [{ id: 'den', access: 'public' }] } })
  const bob = await open(cluster.two.broker, { user: 'bob', id: 'bob' })
  const wills = await open(cluster.two.broker, { user: 'bob', id: 'wills' })
  await subscribe(wills, ['will/#', 1])
  return { ...cluster, bob, wills }
}

/** A session of ann that stays, with what CONNACK says. */
export async function phone({ broker }: Pick<SharedBroker, 'broker'>, more: Opening = {}) {
  const [client, { sessionPresent }] = await connect5(broker, { id: 'phone', clean: false, expiry: 3600, ...more })
  return { client, sessionPresent }
}

/** The CONNECT is sent, and nothing is waited for. */
export async function begin({ broker }: Pick<SharedBroker, 'broker'>): Promise<RawClient> {
  const client = new RawClient(broker, 5)
  const properties = { sessionExpiryInterval: 3600 }
  client.send(await connectPacket(broker, { id: 'phone', clean: false, version: 5, properties }))
  return client
}

/** The text of a message, of a room or not. */
export function said(packet: IPublishPacket): string {
  return textOf(packet.payload as Buffer)
}

export function ownersIn(store: Store): Promise<string[]> {
  return store.tables.list('owner', {}).then((found) => found.map(([key, value]) => `${key} ${value}`))
}

/** Resolves once the session has this owner, or none. */
export async function owned(store: Store, pattern: RegExp | undefined): Promise<void> {
  for (;;) {
    const owner = store.sessionOwners.owner('ann/phone')
    if (pattern === undefined ? owner === undefined : pattern.test(owner ?? '')) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Resolves once a claim waits for the session. */
export async function wanted(store: Store, pattern: RegExp): Promise<void> {
  while (!pattern.test(store.sessionOwners.claimant('ann/phone') ?? ''))
    await new Promise((resolve) => setImmediate(resolve))
}
