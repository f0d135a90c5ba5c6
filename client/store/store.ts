/**
 * Where the client keeps what it knows. Four adapters (memory, IndexedDB, a directory, a key-value storage of apps) pass one suite of tests. Each method rejects with a
 * `ChatError`: `storage`, or `closed` once the store was closed.
 */

/** Parts of a key, compared in turn as IndexedDB does: numbers before strings, numbers by value, strings by code unit; a prefix before what it begins. Not NaN. */
export type Key = readonly (string | number)[]

/** What each holds is said where it is written. */
export type Table = 'meta' | 'rooms' | 'messages' | 'profiles' | 'drafts' | 'outbox' | 'files'

export interface Row<T = unknown> {
  readonly key: Key
  /** JSON, never changed in place; in the table `files` a `Blob`. */
  readonly value: T
}

export type Change =
  | { readonly put: Table; readonly key: Key; readonly value: unknown; readonly asOf?: number }
  | { readonly delete: Table; readonly key: Key }
  /** All rows whose key begins with `prefix`. */
  | { readonly clear: Table; readonly prefix: Key }

export interface Range {
  /** Rows whose key begins with it. */
  readonly prefix?: Key
  /** Exclusive bounds. */
  readonly after?: Key
  readonly before?: Key
  /** Rows, at most. */
  readonly limit?: number
  /** The last ones first. */
  readonly reverse?: boolean
}

export interface Store {
  /** In the order of `keys`; undefined: no such row. */
  get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]>
  range(table: Table, range?: Range): Promise<readonly Row[]>
  /**
   * All of it or nothing, seen by readers at once. A `put` with `asOf` is left out when the row there was put with a higher one (several tabs
   * and late answers write the same rows). A row that is put without one, or deleted, forgets it. Changes count in their order. `durable`: resolves when it survives a crash of the machine, else when readers see it.
   */
  write(changes: readonly Change[], options?: { readonly durable?: boolean }): Promise<void>
  /** Nothing is read or written any more. Resolves when what was begun is done. */
  close(): Promise<void>
  /** Closes it and deletes all of it. */
  destroy(): Promise<void>
}

/** Whose a store is. */
export interface StoreOwner {
  /** Host and port of the broker, such as `chat.example.com` or `localhost:8080`. */
  readonly broker: string
  readonly user: string
}

/** Makes the store of a user, without opening it: only that user ever gets it. It is closed before it is made again. */
export type OpenStore = (owner: StoreOwner) => Store
