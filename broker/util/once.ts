/** Makes something when it is first asked for, and remembers it. `undefined` is not remembered. */
export function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
