/**
 * Makes request ids that are unique among the user's sessions, because replies to other sessions may arrive too. They are no secrets, so
 * `crypto.randomUUID` is not needed: pages have it only over https, and some runtimes not at all.
 */
export function requestIds(): () => string {
  const { crypto } = globalThis as { crypto?: { getRandomValues?(numbers: Uint32Array): Uint32Array } }
  const own = crypto?.getRandomValues
    ? [...crypto.getRandomValues(new Uint32Array(3))].map((number) => number.toString(36)).join('')
    : `${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`
  let last = 0
  return () => `${own}-${++last}`
}
