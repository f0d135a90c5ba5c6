/**
 * Ids for requests: apart from those of the user's other sessions, whose answers may come here too. They prove nothing, so they need no
 * `crypto.randomUUID`, which a page has only over https, and some runtimes not at all.
 */
export function requestIds(): () => string {
  const { crypto } = globalThis as { crypto?: { getRandomValues?(numbers: Uint32Array): Uint32Array } }
  const own = crypto?.getRandomValues
    ? [...crypto.getRandomValues(new Uint32Array(3))].map((number) => number.toString(36)).join('')
    : `${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`
  let last = 0
  return () => `${own}-${++last}`
}
