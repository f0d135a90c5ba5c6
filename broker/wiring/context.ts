import type { Logger } from 'pino'
import type { Config } from '../../schemas/config.js'
import { Counters } from '../util/counters.js'
import { FaultLog } from '../util/fault-log.js'
import { RefusalLog } from '../util/refusal-log.js'
import { TimerWheel } from '../util/timer-wheel.js'
import type { Teardown } from './teardown.js'

/** What every maker is given: made first, closed last. */
export interface Context {
  readonly config: Config
  readonly log: Logger
  /** Told of faults that nobody waits for. */
  readonly failed: (error: unknown) => void
  readonly refusals: RefusalLog
  readonly counters: Counters
  readonly wheel: TimerWheel
  /** What is opened is added here at once, so that a start that fails closes what was open. */
  readonly teardown: Teardown
}

export function makeContext(config: Config, log: Logger, teardown: Teardown): Context {
  const faults = new FaultLog(log)
  const refusals = new RefusalLog(log)
  teardown.add(refusals)
  return {
    config,
    log,
    failed: (error) => faults.report(error),
    refusals,
    counters: new Counters(),
    wheel: new TimerWheel(),
    teardown,
  }
}
