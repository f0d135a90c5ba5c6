/** Calls into the code of plugins. What it throws, or rejects with, is reported and goes no further: neither the process nor a connection ends by it. */
import type { EventEmitter } from 'node:events'

export type PluginFailed = (error: unknown) => void

/** Calls every listener of the event; one that fails keeps it from nobody else. */
export function emitTo(emitter: EventEmitter, event: string | symbol, args: unknown[], failed: PluginFailed): boolean {
  const listeners = emitter.rawListeners(event)
  for (const listener of listeners) callPlugin(() => listener.apply(emitter, args), failed)
  return listeners.length > 0
}

/** What a hook answers, by its callback. Rejects with the error it gives; one that it throws or rejects with is reported too. */
export function askPlugin<T>(hook: (done: Answer<T>) => unknown, failed: PluginFailed): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      failed(error)
      reject(error)
    }
    callPlugin(() => hook((error, answer) => (error ? reject(error) : resolve(answer))), fail)
  })
}

type Answer<T> = (error?: Error | null, answer?: T) => void

export function callPlugin(call: () => unknown, failed: PluginFailed): void {
  try {
    const result = call()
    if (result instanceof Promise) result.catch(failed)
  } catch (error) {
    failed(error)
  }
}
