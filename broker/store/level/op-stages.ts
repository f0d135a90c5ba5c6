/** Which part of the store writes an op, keeps what it reserved, and follows it in memory. */
import { type Subscriptions, subscriptionPut } from '../directory/subscriptions.js'
import type { Op } from '../op.js'
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
  stage(op: Exclude<Op, { type: 'effect' }>, staging: Staging): void {
    const { queue, retained, outbox } = this.#parts
    const { batch } = staging
    switch (op.type) {
      case 'put':
      case 'delete':
      case 'clear':
        return stageTableOp(op, staging)
      case 'touch':
        return void staging.touched.push(op.guard)
      case 'subscribe':
        return stageTableOp(subscriptionPut(op), staging)
      case 'enqueue':
      case 'dequeue':
      case 'discardQueue':
        return queue.stage(op, batch)
      case 'retain':
      case 'cut':
        return retained.stage(op, batch)
      case 'readLog':
        return outbox.stageRead(op, batch)
      default:
        throw new TypeError(`an op of no kind that this store knows: ${JSON.stringify((op as Op).type)}`)
    }
  }

  /** The op is durable; no change of its commit has settled yet. */
  applied(op: Op): void {
    if (op.type === 'retain') this.#parts.retained.applied(op)
  }

  /** The op is not committed, and was not staged: gives up what was reserved for it. */
  abandon(op: Op): void {
    const { queue, retained, subscriptions } = this.#parts
    if (op.type === 'enqueue') queue.abandon(op)
    else if (op.type === 'retain') retained.abandon(op)
    else if (op.type === 'subscribe') subscriptions.abandon(op)
  }
}
