/** A process of the load, as the bench sees it: calls, one after another. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Answer, Calls } from './process.js'

const PROCESS = fileURLToPath(new URL('./process.js', import.meta.url))

export class Worker {
  readonly #process: ChildProcess = fork(PROCESS)

  async call<K extends keyof Calls>(name: K, ...args: Parameters<Calls[K]>): Promise<Awaited<ReturnType<Calls[K]>>> {
    const ended = new AbortController()
    const died = once(this.#process, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('the load ended early; the reason is above')
    })
    died.catch(() => {})
    this.#process.send({ name, args })
    const [answer] = (await Promise.race([once(this.#process, 'message'), died])) as [Answer]
    ended.abort()
    if ('error' in answer) throw new Error(answer.error)
    return answer.result as Awaited<ReturnType<Calls[K]>>
  }

  stop(): void {
    this.#process.kill('SIGKILL')
  }
}

/** Workers for the time of `use`. */
export async function withWorkers<T>(count: number, use: (workers: Worker[]) => Promise<T>): Promise<T> {
  const workers = Array.from({ length: count }, () => new Worker())
  try {
    return await use(workers)
  } finally {
    for (const worker of workers) worker.stop()
  }
}
