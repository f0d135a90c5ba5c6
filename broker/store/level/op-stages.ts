/** Which part of the store writes an op, and follows it in memory. */
import type { Subscriptions } from '../directory/subscriptions.js'
import type { EffectOp, Op, RetainEntryOp } from '../op.js'
import { type Staging, stageTableOp } from './operation.js'
import type { LevelOutbox } from './outbox.js'
import type { LevelQueue } from './queue.js'
import type { Retained } from './retained.js'

export interface OpParts {
  readonly queue: LevelQueue
  readonly retained: Retained
  readonly subscriptions: Subscriptions
  readonly outbox: LevelOutbox
}

export class OpStages {
  readonly #parts: OpParts

  constructor(parts: OpParts) {
    this.#parts = parts
  }

  /** Adds what an op writes to a batch. It may change memory: after a failed commit the store reloads everything. */
  stage(op: Exclude<Op, EffectOp | RetainEntryOp>, staging: Staging): void {
    const { queue, retained, outbox, subscriptions } = this.#parts
    const { batch, changes } = staging
    switch (op.type) {
      case 'put':
      case 'delete':
      case 'clear':
        stageTableOp(op, staging)
        return op.table === 'subscription' ? subscriptions.foresee(changes[changes.length - 1]!) : undefined
      case 'touch':
        return void staging.touched.push(op.guard)
      case 'enqueue':
      case 'dequeue':
      case 'discardQueue':
        return queue.stage(op, staging)
      case 'retain':
      case 'cut':
        return retained.stage(op, batch)
      case 'dropLog':
        return void staging.dropped.push(op.log)
      case 'readLog':
        return outbox.stageRead(op, staging)
      default:
        throw new TypeError(`an op of no kind that this store knows: ${JSON.stringify((op as Op).type)}`)
    }
  }

  /** The op is durable; no change of its commit has settled yet. */
  applied(op: Op): void {
    if (op.type === 'retain') this.#parts.retained.applied(op)
  }
}
