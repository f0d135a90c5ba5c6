/** A phone of bob's: a client whose session is kept while it is away. */
import type { Test } from 'tap'
import type { TestBroker } from './broker.js'
import { Person, type PersonOptions } from './people.js'

/** Without keep-alive, so that a test may put the clock forward while it is connected. */
const PHONE: PersonOptions = { clientId: 'phone', clean: false, keepalive: 0 }

/** It was there once, with these subscriptions at QoS 1, and is away now. */
export async function awayWith(
  t: Test,
  broker: TestBroker,
  filters: string[],
  options: PersonOptions = {},
): Promise<void> {
  const phone = await Person.connect(t, broker, 'bob', { ...PHONE, ...options })
  t.notOk((await phone.subscribe(filters)).includes(0x80))
  await phone.leave()
}

/** It comes back to its session. */
export const back = (t: Test, broker: TestBroker): Promise<Person> => Person.connect(t, broker, 'bob', PHONE)
