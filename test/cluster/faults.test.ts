/** One fault after the other under load, on nodes in processes of their own: nothing may be wrong with the history of any of these runs (DESIGN §6). */
import t from 'tap'
import * as faults from '../helpers/faults/faults.js'
import { survives } from '../helpers/faults/run.js'

const RUNS: Readonly<Record<string, faults.Fault>> = {
  'a node stops for less than its lease': faults.pauseShort,
  'a node stops for longer than its lease': faults.pauseLong,
  'Redis is killed': faults.killRedis,
  'Redis forgets its scripts': faults.forgetScripts,
  'replies are cut off after the commit': faults.cutReplies,
  'a node and Redis do not hear each other for less than its lease': faults.blackholeShort,
  'a node and Redis do not hear each other for longer than its lease': faults.blackholeLong,
  'connections to Redis are cut': faults.cutConnections,
  'sessions are taken from a node that does not answer': faults.seizeSessions,
  'nodes hear late of each other': faults.slowLinks,
  'the nodes are restarted one after the other': faults.restartNodes,
}

if (process.env['TEST_CLUSTER'] === '1')
  for (const [name, fault] of Object.entries(RUNS)) t.test(name, { timeout: 300_000 }, (t) => survives(t, fault))
else t.pass('only with TEST_CLUSTER=1')
