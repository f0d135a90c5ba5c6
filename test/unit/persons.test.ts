import t from 'tap'
import { namesOf, type Ownership, personBehind } from '../../broker/store/persons.js'

/** Each bot and device, and whose it is. */
function ownership(bots: Record<string, string>, devices: Record<string, string>): Ownership {
  const at = { name: null, createdAt: 1, commands: [] }
  const bot = (name: string) => (name in bots ? { bot: name, owner: bots[name]!, ...at } : undefined)
  const device = (name: string) => (name in devices ? { device: name, owner: devices[name]!, ...at } : undefined)
  const of = (all: Record<string, string>, owner: string) => Object.keys(all).filter((name) => all[name] === owner)
  return {
    bots: { get: bot, ofOwner: (owner) => of(bots, owner).map((name) => bot(name)!) },
    devices: {
      get: device,
      ownedBy: (owner) => new Map(of(devices, owner).map((name) => [name, device(name)!])),
    },
  }
}

t.test('behind a bot and a device is who owns it, behind anyone else nobody but themselves', async (t) => {
  const owned = ownership({ helper: 'alice' }, { lamp: 'bob', sensor: 'helper' })
  t.equal(personBehind(owned, 'helper'), 'alice')
  t.equal(personBehind(owned, 'lamp'), 'bob')
  t.equal(personBehind(owned, 'sensor'), 'alice', 'a device of a bot is of who owns the bot')
  t.equal(personBehind(owned, 'alice'), 'alice')
  t.equal(personBehind(owned, 'nobody'), 'nobody')
})

t.test('a person has all names that act for them', async (t) => {
  const owned = ownership({ helper: 'alice', other: 'bob' }, { lamp: 'alice', sensor: 'helper' })
  t.same([...namesOf(owned, 'alice')].sort(), ['alice', 'helper', 'lamp', 'sensor'])
  t.same([...namesOf(owned, 'carol')], ['carol'])
})

t.test('two that own each other, as was possible once, are answered too', async (t) => {
  const owned = ownership({ helper: 'lamp' }, { lamp: 'helper' })
  t.match(personBehind(owned, 'helper'), /helper|lamp/)
  t.same([...namesOf(owned, 'helper')].sort(), ['helper', 'lamp'])
})
