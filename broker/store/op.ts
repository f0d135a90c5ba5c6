/**
 * An opaque write made by one of the store's op builders; `applied` runs once it is durable, before any `settled`. To be
 * committed once, soon: what `enqueueOps` builds holds its place in the queues from then on.
 */
export interface Op {
  readonly applied?: () => void
}
