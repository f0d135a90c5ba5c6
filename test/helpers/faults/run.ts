import type { Test } from 'tap'
import type { History } from '../../models/history/events.js'
import { Random } from '../random.js'
import { Stage, type StageOptions } from './stage.js'

/** Acknowledgements before and after a fault. */
const AROUND = 60

/** One fault in the middle of a load: nothing may be wrong with the history. `fault` resolves when all is healed. */
export async function survives(
  t: Test,
  fault: (stage: Stage) => Promise<void>,
  options: StageOptions = {},
): Promise<void> {
  t.same(await judge(t, fault, options), [])
}

/** What is wrong with the history of such a run. */
export async function judge(
  t: Test,
  fault: (stage: Stage) => Promise<void>,
  options: StageOptions = {},
): Promise<string[]> {
  const random = Random.from('FAULT_SEED')
  t.comment(`FAULT_SEED=${random.seed} repeats the load`)
  const stage = await Stage.start(t, random, options)
  stage.load.start()
  await stage.progress(AROUND)
  stage.someoneGoes()
  const failed: string[] = []
  await fault(stage)
    .then(() => stage.progress(AROUND))
    .catch((error: Error) => failed.push(error.message))
  const wrong = [...failed, ...(await stage.verdict())]
  explain(t, stage.recorder.history, wrong)
  return wrong
}

/** Tells what the history has of the messages in question. */
function explain(t: Test, history: History, wrong: readonly string[]): void {
  const words = new Set(wrong.flatMap((what) => what.split(' ')))
  const begin = history[0]?.ms ?? 0
  for (const { ms, ...event } of history)
    if (event.type === 'connected' || event.type === 'disconnected' || ('message' in event && words.has(event.message)))
      if (wrong.length > 0) t.comment(`${Math.round(ms - begin)} ${JSON.stringify(event)}`)
}
