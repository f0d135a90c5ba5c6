/**
 * Copies the whole store as of one moment, while reading and writing go on. The copy is a LevelDB of its own, in the
 * state of a store after a crash. The key that marks it as a store is written last, so an incomplete copy does not
 * open.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Database, diskDatabase } from './database.js'
import { keys } from './keys.js'

/** `onProgress` is called with the bytes of keys and values copied since the last call. */
export async function copyDatabase(
  from: Database,
  to: string,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const level = await diskDatabase(to)()
  try {
    for await (const page of from.everything()) {
      signal.throwIfAborted()
      const batch = level.batch()
      let bytes = 0
      for (const [key, value] of page) {
        if (key === keys.format) continue
        batch.put(key, value)
        bytes += key.length + value.length
      }
      await batch.write()
      onProgress(bytes)
      await nextTurn()
    }
    await level.put(keys.format, Buffer.from(from.format), { sync: true } as object)
  } finally {
    await level.close()
  }
}
