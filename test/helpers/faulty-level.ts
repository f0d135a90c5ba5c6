/** A real LevelDB that fails when told to, and counts what is asked of it. */
import { EventEmitter } from 'node:events'
import { Level } from 'level'
import type { LevelDatabase } from '../../broker/store/level/level-database.js'

export interface Fault {
  /** Left out: the write succeeds. */
  readonly error?: Error
  /** The write begins when this has happened. */
  readonly after?: Promise<unknown>
  /** True: the write reaches the disk all the same, as a failing fsync may leave it. */
  readonly written?: boolean
  /** Called while the write is in flight. */
  readonly during?: () => void
}

export class FaultyLevel {
  /** For the next writes, one each; undefined lets one pass. */
  readonly writeFaults: (Fault | undefined)[] = []
  /** For the next range deletions. */
  readonly clearFaults: (Error | undefined)[] = []
  /** For the next openings. */
  readonly openFaults: (Error | undefined)[] = []
  opened = 0
  readonly writes = new EventEmitter<{ begin: [] }>()
  /** Whether each write asked for the disk. */
  readonly synced: boolean[] = []
  /** Keys asked for in bulk. */
  keysRead = 0
  readonly #location: string

  constructor(location: string) {
    this.#location = location
  }

  readonly open = async (): Promise<LevelDatabase> => {
    const fault = this.openFaults.shift()
    if (fault) throw fault
    this.opened++
    const level = new Level<string, Buffer>(this.#location, { valueEncoding: 'buffer' })
    await level.open()
    return this.#wrap(level as LevelDatabase)
  }

  #wrap(level: LevelDatabase): LevelDatabase {
    const batch = level.batch.bind(level) as () => ReturnType<typeof level.batch>
    const clear = level.clear.bind(level)
    const getMany = level.getMany.bind(level) as (keys: string[]) => Promise<(Buffer | undefined)[]>
    const write = async (sync: boolean, perform: () => Promise<void>): Promise<void> => {
      this.synced.push(sync)
      this.writes.emit('begin')
      const fault = this.writeFaults.shift()
      fault?.during?.()
      await fault?.after
      if (!fault?.error || fault.written) await perform()
      if (fault?.error) throw fault.error
    }
    return Object.assign(level, {
      batch: () => {
        const chain = batch()
        const perform = chain.write.bind(chain)
        return Object.assign(chain, {
          write: (options: { sync: boolean }) => write(options.sync, () => perform(options as never)),
        })
      },
      clear: async (range: object) => {
        const fault = this.clearFaults.shift()
        if (fault) throw fault
        await clear(range)
      },
      getMany: (keys: string[]) => {
        this.keysRead += keys.length
        return getMany(keys)
      },
    })
  }
}

/** An error as LevelDB reports it when the disk is full. */
export function noSpace(): Error {
  const cause = Object.assign(new Error('IO error: 000005.log: No space left on device'), { code: 'LEVEL_IO_ERROR' })
  return new Error('Database failed', { cause })
}
