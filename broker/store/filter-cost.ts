/** Approximate memory of a subscription beside the bytes of its filter. */
const OVERHEAD = 64

/** What a filter counts against the limits on subscription bytes. */
export function filterCost(filter: string): number {
  return Buffer.byteLength(filter) + OVERHEAD
}
