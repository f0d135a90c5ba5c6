/** Runs one program against a fresh broker, so that programs do not affect each other. */
import type { Test } from 'tap'
import { startTestBroker } from '../../helpers/broker.js'
import { RULES } from './plain-rights.js'
import { Stage } from './stage.js'
import { Told } from './told.js'
import type { Program } from './words.js'

export async function play(program: Program): Promise<void> {
  const ends: (() => unknown)[] = []
  const owner = { teardown: (end: () => unknown) => void ends.push(end) } as unknown as Test
  const told = await Told.start(owner)
  const broker = await startTestBroker(owner, {
    auth: { anonymous: true },
    acl: { rules: RULES },
    rooms: { list: [] },
    webhooks: told.config as never,
    store: { level: { sync: false } },
    limits: { rates: 'off', typingPerSecond: 1000 },
  })
  try {
    await new Stage(owner, broker, told).play(program)
  } finally {
    for (const end of ends.reverse()) await end()
  }
}
