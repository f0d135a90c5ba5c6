/** What a subscription costs beside the bytes of its filter, about. */
const BESIDE = 64

/** Bytes that a filter of someone counts for. */
export function filterCost(filter: string): number {
  return Buffer.byteLength(filter) + BESIDE
}
