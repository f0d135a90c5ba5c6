/** Two people and a device talk through all that the web app has, in pages that are not loaded anew: what one does is seen by the other. */
import t from 'tap'
import { comeIn } from '../helpers/together/coming-in.js'
import { find } from '../helpers/together/finding.js'
import { keep } from '../helpers/together/keeping.js'
import { leave } from '../helpers/together/leaving.js'
import { useMachines } from '../helpers/together/machines.js'
import { show } from '../helpers/together/showing.js'
import { DIRECT, ROOM, Story } from '../helpers/together/story.js'
import { talk } from '../helpers/together/talking.js'

t.test('two people and a device', async (t) => {
  const story = await Story.start(t)
  await t.test('they come in', (t) => comeIn(t, story))
  await t.test('they talk', (t) => talk(t, story))
  await t.test('they show each other files', (t) => show(t, story))
  await t.test('they keep order, and to themselves', (t) => keep(t, story))
  await t.test('they find what they missed', (t) => find(t, story))
  await t.test('a bot and a device are among them', (t) => useMachines(t, story))
  for (const room of [ROOM, DIRECT]) await story.agree(room)
  await t.test('they go', (t) => leave(t, story))
  t.same(story.app.troubles, [], 'no page has complained')
  t.same(story.logged, [], 'the broker has nothing to complain of')
})
