/** What the broker says of itself: its limits, and what messages may hold. */
import { signal } from '@preact/signals'
import type { Methods } from '../../index.js'
import { open } from './login.js'

export type Server = Awaited<ReturnType<Methods['server']['info']>>

/** Null: it is not known yet. */
export const server = signal<Server | null>(null)
let isAsking = false

/** Asks once; after a failure, as without a network, again with the next call. */
export function askServer(): void {
  if (server.peek() !== null || isAsking) return
  isAsking = true
  open.server
    .info({})
    .then((info) => {
      server.value = info
    })
    .catch(() => {})
    .finally(() => {
      isAsking = false
    })
}
