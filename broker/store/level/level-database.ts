import type { AbstractLevel } from 'abstract-level'

/** What the store needs of a LevelDB: on disk, in memory, or one that fails in a test. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Buffer>
