/**
 * A copy of the whole store as it is at one moment, while others go on to read and write: a LevelDB of its own, to be opened like one that
 * a crash has left. It is no store before it is whole, for what says so is written last.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Database, diskDatabase, FORMAT } from './database.js'
import { keys } from './keys.js'

/** `heard` is told how many bytes of keys and values were copied since the last time. */
export async function copyDatabase(
  from: Database,
  to: string,
  heard: (bytes: number) => void,
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
      heard(bytes)
      await nextTurn()
    }
    await level.put(keys.format, Buffer.from(FORMAT), { sync: true } as object)
  } finally {
    await level.close()
  }
}
