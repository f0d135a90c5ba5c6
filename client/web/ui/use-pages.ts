import { signal } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type CallOptions, type ChatError, type Pages, pagesOf } from '../../index.js'
import { signalOf } from '../state/live.js'
import { asChatError } from './use-request.js'

export interface PageList<T> {
  readonly items: readonly T[]
  readonly hasMore: boolean
  readonly isLoading: boolean
  /** Why the last page did not come; null: it did. */
  readonly error: ChatError | null
  readonly next: () => void
  /** Asks again for as much as is shown, which stays until that is answered. */
  readonly reload: () => void
  /** Takes an entry out that is done with. */
  readonly drop: (gone: T) => void
}

/** A list that the broker gives page by page; another one when `key` changes. */
export function usePages<T>(key: string, make: () => Pages<T>): PageList<T> {
  const [round, setRound] = useState(0)
  const [gone, setGone] = useState<ReadonlySet<T>>(new Set())
  /** Entries that the next round begins with. */
  const wanted = useRef(0)
  const list = useMemo(() => new Asked(make(), wanted.current), [key, round])
  useEffect(() => {
    wanted.current = 0
    list.next()
    return () => list.dispose()
  }, [list])
  const items = signalOf(list.pages.items).value
  const hasMore = signalOf(list.pages.more).value
  const isLoading = list.isLoading.value
  /** What was shown stays until something else is there. */
  const shown = useRef({ items, hasMore })
  if (!isLoading || (items.length > 0 && items.length >= list.wanted)) shown.current = { items, hasMore }
  return {
    items: shown.current.items.filter((one) => !gone.has(one)),
    hasMore: shown.current.hasMore,
    isLoading,
    error: list.error.value,
    next: list.next,
    reload: () => {
      wanted.current = shown.current.items.length
      setRound((count) => count + 1)
    },
    drop: (one) => setGone((before) => new Set([...before, one])),
  }
}

interface Page<T> {
  readonly items: readonly T[]
  readonly more: boolean
}

/** The same of a request that goes on after an entry, not by a cursor. @param ask For the page after this entry */
export function useList<T>(
  key: string,
  ask: (after: T | undefined, options?: CallOptions) => Promise<Page<T>>,
): PageList<T> {
  return usePages(key, () => {
    let last: T | undefined
    const askPage = async (_: { cursor?: string }, options?: CallOptions): Promise<Page<T>> => {
      const page = await ask(last, options)
      last = page.items.at(-1)
      return { items: page.items, more: page.more && last !== undefined }
    }
    return pagesOf(askPage, {}, 'items')
  })
}

class Asked<T> {
  readonly pages: Pages<T>
  /** It begins with so many, if there are. */
  readonly wanted: number
  readonly isLoading = signal(true)
  readonly error = signal<ChatError | null>(null)
  readonly #stop = new AbortController()

  constructor(pages: Pages<T>, wanted: number) {
    this.pages = pages
    this.wanted = wanted
  }

  readonly next = (): void => {
    this.isLoading.value = true
    this.error.value = null
    this.#ask().then(
      () => this.#done(null),
      (error: unknown) => this.#done(asChatError(error)),
    )
  }

  dispose(): void {
    this.#stop.abort()
  }

  /** A page can be empty though there are more. */
  async #ask(): Promise<void> {
    const { items, more } = this.pages
    const before = items.current.length
    do await this.pages.next({ signal: this.#stop.signal })
    while (more.current && (items.current.length === before || items.current.length < this.wanted))
  }

  #done(error: ChatError | null): void {
    if (this.#stop.signal.aborted) return
    this.isLoading.value = false
    this.error.value = error
  }
}
