/**
 * An opaque write, made by one of the store's op builders. `applied` runs once it is durable, before any `settled`.
 * Commit it once and soon: ops of `enqueueOps` reserve their positions in the queues when they are made.
 */
export interface Op {
  readonly applied?: () => void
}
