/** Replies that are maps, or pages of one: lists in which names and values alternate. */

export function pairsOf(reply: unknown): [name: string, value: Buffer][] {
  const list = reply as readonly Buffer[]
  return Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i]!.toString(), list[2 * i + 1]!])
}

/** Where the values are texts. */
export function textsOf(reply: unknown): ReadonlyMap<string, string> {
  return new Map(pairsOf(reply).map(([name, value]) => [name, value.toString()]))
}
