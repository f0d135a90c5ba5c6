import type { Live, Outgoing } from '../node/index.js'

/** Resolves with the first value for which `holds` is true, or with undefined when `signal` is aborted. */
export function abortable<T>(live: Live<T>, holds: (value: T) => boolean, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve) => {
    const end = (value?: T): void => {
      stop()
      signal.removeEventListener('abort', aborted)
      resolve(value)
    }
    const aborted = (): void => end()
    const stop = live.subscribe((value) => holds(value) && end(value))
    signal.addEventListener('abort', aborted)
    if (holds(live.current)) end(live.current)
    else if (signal.aborted) end()
  })
}

/** The same, for `ms` at most. */
export async function within<T>(
  ms: number,
  live: Live<T>,
  holds: (value: T) => boolean,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const over = new AbortController()
  const end = (): void => over.abort()
  const timer = setTimeout(end, ms)
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  try {
    return await abortable(live, holds, over.signal)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', end)
  }
}

/** Resolves when nothing is in the outbox, or when nothing of it has moved for `ms`: no message left or came, no bytes of a file were sent. */
export function emptied(ms: number, outbox: Live<readonly Outgoing[]>): Promise<void> {
  return new Promise((resolve) => {
    const stops = new Map<Outgoing, () => void>()
    let timer: NodeJS.Timeout | undefined
    const end = (): void => {
      clearTimeout(timer)
      for (const stop of [stopOutbox, ...stops.values()]) stop()
      resolve()
    }
    const moved = (): void => {
      clearTimeout(timer)
      if (outbox.current.length === 0) return end()
      timer = setTimeout(end, ms)
      for (const one of outbox.current) if (!stops.has(one)) stops.set(one, whenUploaded(one, moved))
    }
    const stopOutbox = outbox.subscribe(moved)
    moved()
  })
}

/** Calls `more` whenever the broker has more bytes of its files. Returns a function that ends it. */
function whenUploaded({ state }: Outgoing, more: () => void): () => void {
  let most = 0
  return state.subscribe((now) => {
    if (now.at !== 'uploading' || now.done <= most) return
    most = now.done
    more()
  })
}
