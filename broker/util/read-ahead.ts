/** Begins some reads before their results are wanted; yields these in the order of the items. Errors arrive at their place. */
export async function* readAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  width: number,
  read: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const pending: Promise<R>[] = []
  for await (const item of items) {
    const result = read(item)
    // It is awaited later, or not at all if an earlier one fails.
    result.catch(() => {})
    pending.push(result)
    if (pending.length >= width) yield await pending.shift()!
  }
  for (const result of pending) yield await result
}
