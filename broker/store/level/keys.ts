/**
 * Defines all keys of the database. A key is a letter for the kind, then parts; every part but the last ends with
 * U+0000. Parts may hold any characters: U+0000 and U+0001 are escaped, which keeps keys unambiguous and sorted.
 * Numbers have a fixed width, so that they sort numerically.
 */

import { numberPart as number, numberOf, keyPart as part, partsOf as partsOfKey } from '../tables.js'

export { numberOf }

/** Characters of a number. */
const NUMBER_WIDTH = number(0).length

export interface KeyRange {
  readonly gte: string
  readonly lt: string
}

const END = '\0'
const ESCAPE = '\x01'

/** The parts of a key after its letter. */
export function partsOf(key: string): string[] {
  return partsOfKey(key.slice(1))
}

/** All keys of a kind. */
function kind(letter: string): KeyRange {
  return { gte: letter, lt: String.fromCharCode(letter.charCodeAt(0) + 1) }
}

/** All keys with further parts after `prefix`. */
function below(prefix: string): KeyRange {
  return { gte: prefix + END, lt: prefix + ESCAPE }
}

export const keys = {
  format: '!format',
  /** How far an upgrade has come. */
  upgrading: '!upgrading',
  /** How far a move into this store has come. */
  moving: '!moving',
  epoch: '!epoch',
  /** Number of the last commit whose entries are all in chunks. */
  folded: '!folded',
  /** Queue numbers below this one may have been used. */
  queueNumber: '!queue',

  journal: (commit: number): string => `j${number(commit)}`,
  /** Enclose the journal. */
  journalEdges: ['j', 'k'],
  chunk: (log: string, first: number): string => `c${part(log)}${END}${number(first)}`,
  head: (log: string): string => `h${part(log)}`,
  dropping: (log: string): string => `x${part(log)}`,
  /** A chunk with entries that expire in this hour. */
  due: (hour: number, log: string, first: number): string => `b${number(hour)}${part(log)}${END}${number(first)}`,
  dueOf: (key: string): { log: string; first: number } => ({
    log: partsOf(key)[0]!.slice(NUMBER_WIDTH),
    first: numberOf(key),
  }),
  /** A retained message that expires in this hour. */
  dueRetained: (hour: number, topic: string): string => `B${number(hour)}${part(topic)}`,
  retainedOfDue: (key: string): string => `t${key.slice(1 + NUMBER_WIDTH)}`,
  /** A key with old versions on disk that hold payloads which are gone. */
  stale: (key: string): string => `S${key}`,
  keyOfStale: (key: string): string => key.slice(1),
  /** Groups neighbouring keys, such as the chunks of one log. */
  groupOf: (key: string): string => (key.startsWith('c') ? key.slice(0, -NUMBER_WIDTH) : key[0]!),

  /**
   * An entry whose payload must be removed from the disk, or (`nameless`) its author's name too; each is deleted
   * independently.
   */
  erased: (log: string, seq: number, nameless: boolean): string =>
    `z${part(log)}${END}${nameless ? '!' : ''}${number(seq)}`,
  note: (log: string, kind: string, target: number, name: string): string =>
    `a${part(log)}${END}${kind}${number(target)}${name}`,
  /** Target and name of a note of a log. */
  noteOf: (log: string, key: string): { target: number; name: string } => {
    const at = part(log).length + 3
    return { target: Number.parseInt(key.slice(at, at + NUMBER_WIDTH), 36), name: key.slice(at + NUMBER_WIDTH) }
  },

  generation: (generation: number): string => `g${number(generation)}`,
  filter: (generation: number): string => `l${number(generation)}`,
  /** The part of a dedupe key that does not depend on the generation. */
  dedupeName: (log: string, from: string, cid: string): string => `${part(log)}${END}${part(from)}${END}${part(cid)}`,
  dedupe: (generation: number, name: string): string => `d${number(generation)}${name}`,
  dedupeNameOf: (key: string): string => key.slice(1 + NUMBER_WIDTH),
  /** The prefix of a log's dedupe names. */
  dedupePrefix: (log: string): string => `${part(log)}${END}`,

  packet: (queueNumber: number): string => `p${number(queueNumber)}`,
  reference: (id: string, queueNumber: number): string => `r${part(id)}${END}${number(queueNumber)}`,
  retained: (topic: string): string => `t${part(topic)}`,
  /** The smallest key greater than another. */
  behind: (key: string): string => `${key}${END}`,

  /** The mark that a log has not been read to its end, if the reader is empty. Readers' cursors are beside it, with the incarnation as a third part. */
  outbox: (log: string, reader: string): string => `Wo${part(log)}${END}${part(reader)}`,
  outboxOf: (key: string) => partsOf(key.slice(1)) as [log: string, reader: string, incarnation?: string],
} as const

export const ranges = {
  /** Without the enclosing keys, which exist for compaction only. */
  journal: { gte: 'j0', lt: 'k' },
  journalUpTo: (commit: number): KeyRange => ({ gte: 'j0', lt: keys.journal(commit + 1) }),
  chunks: (log: string): KeyRange => below(`c${part(log)}`),
  /** Chunks whose first entry is below `seq`. */
  chunksBefore: (log: string, seq: number): KeyRange => ({ gte: `c${part(log)}${END}`, lt: keys.chunk(log, seq) }),
  heads: kind('h'),
  dropping: kind('x'),
  /** Up to the end of this hour. */
  dueUntil: (hour: number): KeyRange => ({ gte: 'b', lt: `b${number(hour + 1)}` }),
  dueRetainedUntil: (hour: number): KeyRange => ({ gte: 'B', lt: `B${number(hour + 1)}` }),
  stale: kind('S'),

  allErased: kind('z'),
  erased: (log: string): KeyRange => below(`z${part(log)}`),
  notesOfAll: kind('a'),
  allNotes: (log: string): KeyRange => below(`a${part(log)}`),
  notes: (log: string, kind: string, from: number, to: number): KeyRange => ({
    gte: keys.note(log, kind, from, ''),
    lt: keys.note(log, kind, to + 1, ''),
  }),

  generations: kind('g'),
  dedupe: (generation: number): KeyRange => ({ gte: `d${number(generation)}`, lt: `d${number(generation + 1)}` }),
  dedupeOfLog: (generation: number, log: string): KeyRange => below(`d${number(generation)}${part(log)}`),

  allPackets: kind('p'),
  allReferences: kind('r'),
  references: (id: string): KeyRange => below(`r${part(id)}`),
  allRetained: kind('t'),
  /** The topic `levels` and those below it (and a few neighbours). */
  retainedBelow: (levels: string): KeyRange => ({ gte: `t${part(levels)}`, lt: `t${part(levels)}0` }),

  allOutbox: { gte: 'Wo', lt: 'Wp' },
} as const
