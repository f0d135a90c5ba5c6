/** Whether the server has another version of the app than this page. Nothing is loaded anew by itself: somebody may be in the middle of something. */
import { signal } from '@preact/signals'
import { WEB_PATHS } from '../../../schemas/web-paths.js'
import type { Chat } from '../../index.js'
import { brand } from './brand.js'

export const isOutdated = signal(false)

/** Looks with each connection: a server that was updated was begun anew. Returns what ends it. */
export function followVersion({ status }: Pick<Chat, 'status'>): () => void {
  return status.subscribe(({ state }) => {
    // Without an answer nothing is known: the next connection comes.
    if (state === 'online') lookForVersion().catch(() => {})
  })
}

/** Rejects without an answer. */
export async function lookForVersion(): Promise<void> {
  const answer = await fetch(WEB_PATHS.home, { headers: { accept: 'text/html' }, cache: 'no-cache' })
  const [, version] = /data-version="(\w+)"/.exec(await answer.text()) ?? []
  if (version === undefined || version === brand.version) return
  isOutdated.value = true
  // So that it also opens without a network.
  await (await navigator.serviceWorker?.getRegistration())?.update()
}
