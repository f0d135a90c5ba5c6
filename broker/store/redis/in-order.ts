/** Texts in their order, where Redis gives them in none: keys of hashes and members of sets, of which there may be more than memory has room for. */

/** Pages of all texts, in no order, perhaps some twice. */
export type ReadAll = () => AsyncIterable<readonly string[]>

/** Held at a time; some tens of megabytes. */
const MOST = 100_000

/**
 * Each round reads everything, and keeps the first ones that are left.
 * @param after The texts behind it; null: all
 */
export async function* inOrder(read: ReadAll, after: string | null, most = MOST): AsyncGenerator<string[]> {
  for (let last = after; ; ) {
    const round = await firstBehind(last, most, read())
    if (round.length > 0) yield round
    if (round.length < most) return
    last = round[round.length - 1]!
  }
}

async function firstBehind(after: string | null, most: number, pages: ReturnType<ReadAll>): Promise<string[]> {
  let found = new Set<string>()
  /** No text behind it is wanted; null: there are not so many yet. */
  let end: string | null = null
  for await (const page of pages)
    for (const text of page) {
      if ((after !== null && text <= after) || (end !== null && text > end)) continue
      found.add(text)
      if (found.size < 2 * most) continue
      const first = sorted(found).slice(0, most)
      end = first[most - 1]!
      found = new Set(first)
    }
  return sorted(found).slice(0, most)
}

/** By code units, as they are compared. */
function sorted(texts: Iterable<string>): string[] {
  return [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}
