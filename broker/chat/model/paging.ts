/** Pages bounded by bytes. A page has at least one entry, whatever its size, or a client could never get past it. */

/** Number of leading items whose sizes add up to at most `maxBytes`; at least `least`, if there are as many. */
export function countFitting<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  maxBytes: number,
  least: 0 | 1 = 1,
): number {
  let bytes = 0
  const over = items.findIndex((item, i) => (bytes += sizeOf(item)) > maxBytes && i >= least)
  return over === -1 ? items.length : over
}

/** Renders items as JSON, one after another, until the next one would exceed `maxBytes`; at least one. */
export async function renderFitting<T>(
  items: Iterable<T>,
  render: (item: T) => string | Promise<string>,
  maxBytes: number,
): Promise<string[]> {
  const rendered: string[] = []
  let bytes = 0
  for (const item of items) {
    const text = await render(item)
    bytes += listedBytes(text)
    if (bytes > maxBytes && rendered.length > 0) break
    rendered.push(text)
  }
  return rendered
}

/** Bytes of an entry in a JSON list, with its comma. */
export function listedBytes(text: string): number {
  return Buffer.byteLength(text) + 1
}
