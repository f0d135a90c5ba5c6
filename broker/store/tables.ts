/**
 * The tables of the store: small records under keys of one or more parts, read and scanned in the order of the keys. Their contents are known
 * above the adapters (directory/ and the files beside it); an adapter only keeps them.
 */

/** What a table holds is said where its records are written. */
export const TABLES = [
  'user',
  'userName',
  'userRemoved',
  'credential',
  'secondFactor',
  'removal',
  'expiring',
  'profile',
  'nameWord',
  'privacy',
  'notificationSettings',
  'accountData',
  'saved',
  'block',
  'contact',
  'presence',
  'userDevices',
  'bot',
  'room',
  'member',
  'invite',
  'departed',
  'ban',
  'mute',
  'link',
  'joinRequest',
  'written',
  'forwarded',
  'channel',
  'deployment',
  'receipt',
  'device',
  'deviceShare',
  'deviceOffer',
  'bridge',
  'openCommand',
  'finishedCommand',
  'file',
  'userFile',
  'fileRoom',
  'fileCheck',
  'fileTotals',
  'blockedContent',
  'filters',
  'report',
  'evidence',
  'session',
  'owner',
  'claimant',
  'sessionState',
  'subscription',
  'packetState',
  'will',
  'heartbeat',
  'readerCursor',
  'webhook',
  'webhookState',
  'deadLetter',
  'retry',
  'job',
  'candidate',
] as const

export type Table = (typeof TABLES)[number]

/**
 * Tables that change with every message or packet, and that no decision is made on: guards on them never fail.
 */
export const UNGUARDED: ReadonlySet<Table> = new Set([
  ...(['session', 'sessionState', 'subscription', 'packetState', 'will', 'heartbeat', 'readerCursor'] as const),
  ...(['receipt', 'webhookState'] as const),
])

/** Tables whose keys have one part; those of all others have several, and the first of these is their owner. */
export const SINGLE_KEYS: ReadonlySet<Table> = new Set([
  ...([
    'user',
    'userName',
    'userRemoved',
    'secondFactor',
    'removal',
    'profile',
    'nameWord',
    'privacy',
    'notificationSettings',
    'presence',
    'bot',
    'file',
    'fileCheck',
    'fileTotals',
  ] as const),
  ...([
    'room',
    'channel',
    'deployment',
    'filters',
    'report',
    'evidence',
    'session',
    'will',
    'owner',
    'claimant',
  ] as const),
  ...(['heartbeat', 'webhook', 'webhookState', 'job', 'candidate'] as const),
])

/** Tables that are read on demand only, and change often: an adapter may tell followers nothing of them. */
export const UNTOLD: ReadonlySet<Table> = new Set([
  ...([
    'sessionState',
    'packetState',
    'will',
    'heartbeat',
    'readerCursor',
    'profile',
    'nameWord',
    'accountData',
    'saved',
  ] as const),
  ...(['userName', 'secondFactor', 'finishedCommand', 'evidence', 'deadLetter', 'webhookState', 'deployment'] as const),
  ...(['file', 'userFile', 'fileRoom', 'fileCheck', 'fileTotals', 'blockedContent'] as const),
])

/** The first part of a key; the records that share it belong to one owner, such as a room. */
export type Owner = string

const END = '\0'
const ESCAPE = '\x01'

/** Makes a key. Parts may hold any characters; keys sort by their parts. */
export function keyOf(...parts: readonly string[]): string {
  return parts.length === 1 ? keyPart(parts[0]!) : parts.map(keyPart).join(END)
}

/** The parts that `keyOf` was given. */
export function partsOf(key: string): string[] {
  return key.split(END).map(unescaped)
}

/** The first part of a key. */
export function ownerOf(key: string): Owner {
  return unescaped(ownerPart(key))
}

/** The same, as it is in the key. */
export function ownerPart(key: string): string {
  const end = key.indexOf(END)
  return end < 0 ? key : key.slice(0, end)
}

/** U+0000 and U+0001 are escaped, which keeps keys unambiguous and sorted. */
export function keyPart(text: string): string {
  if (!text.includes(END) && !text.includes(ESCAPE)) return text
  return text.replaceAll(ESCAPE, `${ESCAPE}\x02`).replaceAll(END, `${ESCAPE}${ESCAPE}`)
}

function unescaped(text: string): string {
  if (!text.includes(ESCAPE)) return text
  return text.replaceAll(`${ESCAPE}${ESCAPE}`, END).replaceAll(`${ESCAPE}\x02`, ESCAPE)
}

const NUMBER_WIDTH = 11

/** A number as the end of a part: of a fixed width, so that numbers sort as such. */
export function numberPart(value: number): string {
  return value.toString(36).padStart(NUMBER_WIDTH, '0')
}

/** The number at the end of a key. */
export function numberOf(key: string): number {
  return Number.parseInt(key.slice(-NUMBER_WIDTH), 36)
}

export interface RecordRange {
  /** Only records of this owner. */
  readonly owner?: Owner
  /** Only keys that begin with it. Not together with `owner`. */
  readonly prefix?: string
  /** Only keys behind this one. */
  readonly after?: string
  /** Only keys before this one. */
  readonly before?: string
  readonly limit?: number
  /** The last ones first. */
  readonly reverse?: boolean
}

export type StoredRecord = readonly [key: string, value: Buffer]

/** Reads what is committed. */
export interface Tables {
  get(table: Table, key: string): Promise<Buffer | undefined>
  /** Reads a range that is known to be small. */
  list(table: Table, range: RecordRange): Promise<StoredRecord[]>
  /** Reads a range in pages, as it is when a page is reached or as it was at the beginning. */
  entries(table: Table, range?: RecordRange): AsyncIterable<StoredRecord>
  /** Visits a whole table, without a promise for each record. */
  scan(table: Table, visit: (key: string, value: Buffer) => void): Promise<void>
}

/** A committed change of a table: a record that was set or, with null, removed; or all records of an owner removed. */
export type TableChange =
  | { readonly table: Table; readonly key: string; readonly value: string | Buffer | null }
  | { readonly table: Table; readonly owner: Owner }

/** Keeps in memory what tables hold. */
export interface TableFollower {
  /** Reads the tables; the function returned replaces what is in memory, synchronously. */
  load(tables: Tables): Promise<() => void>
  /**
   * The changes of one commit, in order, perhaps twice in a row; commits in their order, and on the node that made one before it settles.
   * @param position Never lower than the one before; the same if nothing guarded has changed
   */
  apply(position: number, changes: readonly TableChange[]): void
}
