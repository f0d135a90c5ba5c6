/** Where the records of tables are in the database: a letter or two for the table, then the record's key. */
import type { Owner, Table } from '../tables.js'
import { keyPart } from '../tables.js'
import type { KeyRange } from './keys.js'

export const PREFIXES: Readonly<Record<Table, string>> = {
  user: 'u',
  userName: 'v',
  userRemoved: 'V',
  credential: 'C',
  secondFactor: '2',
  removal: 'X',
  expiring: 'T',
  profile: 'P',
  nameWord: 'Wi',
  privacy: 'Y',
  notificationSettings: 'Wq',
  accountData: 'Wa',
  saved: 'Wv',
  block: 'K',
  contact: 'Q',
  presence: 'y',
  userDevices: 'Wu',
  bot: 'A',
  room: 'o',
  member: 'm',
  invite: 'q',
  departed: 'e',
  ban: 'Ob',
  mute: 'Om',
  link: 'Ol',
  joinRequest: 'Or',
  written: 'Ow',
  forwarded: 'Of',
  channel: 'N',
  deployment: 'Wy',
  receipt: 'R',
  device: 'OD',
  deviceShare: 'OS',
  deviceOffer: 'OO',
  bridge: 'OB',
  openCommand: 'OC',
  finishedCommand: 'OF',
  file: 'Ma',
  userFile: 'Mu',
  fileRoom: 'Mo',
  fileCheck: 'Mc',
  fileTotals: 'Mt',
  blockedContent: 'Mb',
  filters: 'Mf',
  report: 'Mr',
  evidence: 'Me',
  session: 'n',
  owner: 'Wn',
  claimant: 'Wc',
  sessionState: 'k',
  subscription: 's',
  packetState: 'Wp',
  will: 'w',
  heartbeat: '!seen',
  readerCursor: 'Wo',
  webhook: 'Ww',
  webhookState: 'Ws',
  deadLetter: 'Wd',
  retry: 'Wr',
  job: 'Wj',
  candidate: 'Wk',
}

export function recordKey(table: Table, key: string): string {
  return PREFIXES[table] + key
}

/** The records of an owner. */
export function recordRange(table: Table, owner: Owner): KeyRange {
  const prefix = PREFIXES[table] + keyPart(owner)
  return { gte: `${prefix}\0`, lt: `${prefix}\x01` }
}

/** The records whose key begins with `start`. */
export function recordsFrom(table: Table, start: string): KeyRange {
  const prefix = PREFIXES[table] + start
  return { gte: prefix, lt: prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1) }
}

/** The key of a record, of its key in the database. */
export function keyOfRecord(table: Table, stored: string): string {
  return stored.slice(PREFIXES[table].length)
}
