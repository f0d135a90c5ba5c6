/** Lists that the broker gives page by page. */
import { type Live, LiveValue } from '../base/live.js'
import type { CallOptions } from './calls.js'

export interface Pages<T> {
  /** What was asked for by now; it stays as it was then. */
  readonly items: Live<readonly T[]>
  /** Whether there may be more; a page can be empty. */
  readonly more: Live<boolean>
  /** Asks for the next page, if there is one; calls wait for each other. Rejects with a `ChatError`: then the next call asks for it again. */
  next(options?: CallOptions): Promise<void>
}

interface Page {
  readonly more: boolean
  readonly cursor?: string
}

type Listed<R, K extends keyof R> = R[K] extends readonly (infer T)[] ? T : never

/**
 * The list that a request gives, from its beginning; nothing is asked for before `next`.
 * @param ask A method of `chat.ask` with a `cursor`, such as `search`, `mentions.list`, `saved.list`, `threads.list`
 * @param params Of the request, but the cursor
 * @param name Of the list in the result, such as `results`
 */
export function pagesOf<P extends { readonly cursor?: string }, R extends Page, K extends keyof R & string>(
  ask: (params: P, options?: CallOptions) => Promise<R>,
  params: Omit<P, 'cursor'>,
  name: K,
): Pages<Listed<R, K>> {
  const items = new LiveValue<readonly Listed<R, K>[]>([])
  const more = new LiveValue(true)
  let cursor: string | undefined
  let last: Promise<void> = Promise.resolve()
  const fetchPage = async (options?: CallOptions): Promise<void> => {
    if (!more.current) return
    const page = await ask({ ...params, ...(cursor !== undefined && { cursor }) } as P, options)
    cursor = page.cursor
    items.set([...items.current, ...(page[name] as Listed<R, K>[])])
    more.set(page.more)
  }
  return {
    items,
    more,
    next(options) {
      const next = last.then(() => fetchPage(options))
      last = next.catch(() => {})
      return next
    },
  }
}
