import { webSocket } from './web-socket.js'

/** Counts requests of these names that a client of the SDK makes over `socket`, and keeps the JSON of their parameters. */
export function countedRequests(names: readonly string[]) {
  const counts: Record<string, number> = Object.fromEntries(names.map((name) => [name, 0]))
  const params: string[] = []
  const socket = (url: string) => {
    const made = webSocket(url)
    const send = made.send.bind(made)
    made.send = (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      for (const name of names) {
        const [, ...requests] = text.split(`/requests/${name}`)
        counts[name]! += requests.length
        params.push(...requests.map((request) => /\{[^}]*\}/.exec(request)?.[0] ?? ''))
      }
      send(bytes)
    }
    return made
  }
  return { counts, params, socket }
}
