/** Clients that leave wills, and waits for their handling. */
import type { Test } from 'tap'
import type { WillPacket } from '../../broker/store/persistence.js'
import { startTestBroker, type TestBroker } from './broker.js'
import { Person } from './people.js'

export const HOUR = 3600

export async function brokerWithAlice(t: Test) {
  const broker = await startTestBroker(t)
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  const login = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  return { broker, root, login }
}

export interface Left {
  clientId?: string
  user?: string
  topic?: string
  /** Seconds. */
  delay?: number
}

/** Alice's connection breaks; by default her will is delayed by an hour. */
export async function leaveWill(t: Test, broker: TestBroker, password: string, left: Left = {}): Promise<WillPacket> {
  const { clientId = 'phone', user = 'alice', topic = 'users/root/messages', delay = HOUR } = left
  const will = { topic, payload: 'gone', qos: 1 as const, properties: { willDelayInterval: delay } }
  const properties = { sessionExpiryInterval: 2 * HOUR }
  const options = { protocolVersion: 5 as const, clean: false, properties, will: { ...will, retain: false } }
  const person = await Person.connect(t, broker, user, { clientId, password, ...options })
  await person.vanish()
  return (await kept(broker, clientId, user))!
}

export const kept = (broker: TestBroker, clientId = 'phone', user = 'alice') =>
  broker.running.store.persistence.getWill({ id: `${user}/${clientId}` })

/** Resolves once a will was refused. */
export async function refusedWill({ running }: TestBroker): Promise<void> {
  while (running.counters.get('refused.will') === 0) await new Promise((resolve) => setImmediate(resolve))
}
