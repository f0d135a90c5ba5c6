/** The commands that write pieces of another store, under the numbers and incarnations that they have there. */
import { hourOf } from '../gone.js'
import type { LogEntry } from '../logs.js'
import { messageSize } from '../message-size.js'
import type { CidPiece, NotePiece, Piece, ReferencePiece, StoredLog } from '../moving/contents.js'
import { decodeMessage } from '../packet-codec.js'
import { publisherOf } from '../queue-ops.js'
import { ownerPart, type Table } from '../tables.js'
import { encodeRest, generationAt } from './dedupe.js'
import { BLOCK_ENTRIES, encodeEntry } from './entry-codec.js'
import type { Keys } from './keys.js'
import { noteField } from './notes.js'
import { encodeGrown } from './stored-logs.js'

export type Command = readonly (string | Buffer)[]

/** Of a retained message that was there before all others. */
const FIRST_POSITION = '0'

export class MoveCommands {
  readonly #keys: Keys
  readonly #dedupeDays: number

  constructor(keys: Keys, dedupeDays: number) {
    this.#keys = keys
    this.#dedupeDays = dedupeDays
  }

  /** To be performed once, in this order. */
  of(pieces: readonly Piece[]): Command[] {
    const commands: Command[] = []
    for (const piece of pieces) if (piece.kind !== 'entry') commands.push(...this.#of(piece))
    commands.push(...this.#entries(pieces))
    return commands
  }

  #of(piece: Exclude<Piece, { kind: 'entry' }>): Command[] {
    const keys = this.#keys
    switch (piece.kind) {
      case 'log':
        return this.#log(piece.log)
      case 'note':
        return this.#note(piece)
      case 'cid':
        return [this.#cid(piece)]
      case 'packet':
        return [['HSET', keys.packets, String(piece.number), piece.packet]]
      case 'reference':
        return this.#reference(piece)
      case 'retained':
        return this.#retained(piece.topic, piece.packet)
      case 'mark':
        return [['HSET', keys.marks, piece.log, String(piece.seq)]]
      default:
        return this.#record(piece.kind, piece.key, piece.value)
    }
  }

  #record(table: Table, key: string, value: Buffer): Command[] {
    const owner = ownerPart(key)
    const isSingle = owner === key
    const records = this.#keys.records(table, isSingle ? null : owner)
    const name = isSingle ? key : key.slice(owner.length + 1)
    return [
      ['HSET', records, name, value],
      ['ZADD', this.#keys.index(table), '0', owner],
    ]
  }

  #log({ name, head, tail, incarnation, former, grownIn, spokenIn }: StoredLog): Command[] {
    const life = ['head', head, 'tail', tail, 'life', incarnation].map(String)
    const growth = grownIn === 0 ? [] : ['grown', encodeGrown(grownIn, head), 'spoken', String(spokenIn)]
    const before = former === 0 ? [] : ['former', String(former)]
    return [
      ['HSET', this.#keys.head(name), ...life, ...growth, ...before],
      ['SADD', this.#keys.logs, name],
    ]
  }

  #note({ log, letter, target, name, value }: NotePiece): Command[] {
    const field = noteField(letter, target, name)
    return [
      ['HSET', this.#keys.notes(log.name, log.incarnation), field, value],
      ['ZADD', this.#keys.noteIndex(log.name, log.incarnation), '0', field],
    ]
  }

  #cid({ name, hash, incarnation, seq, ts, id, usedBy }: CidPiece): Command {
    const hashed = this.#keys.dedupe(generationAt(usedBy, this.#dedupeDays), name.bucket)
    return [
      'HSET',
      hashed,
      name.field,
      Buffer.concat([Buffer.from(`${incarnation} ${seq} `), hash, encodeRest(ts, id)]),
    ]
  }

  #reference({ session, number, qos, bytes }: ReferencePiece): Command[] {
    return [
      ['ZADD', this.#keys.queue(session), String(number), `${number} ${qos} ${bytes}`],
      ['HINCRBY', this.#keys.queuedBytes, session, String(bytes)],
      ['HINCRBY', this.#keys.references, String(number), '1'],
    ]
  }

  #retained(topic: string, packet: Buffer): Command[] {
    const keys = this.#keys
    const message = decodeMessage(packet)
    const owner = publisherOf(message) ?? ''
    const bytes = String(messageSize(message))
    const expiresAt = message.extra?.expiresAt ?? 0
    return [
      ['HSET', keys.retained, topic, Buffer.concat([Buffer.from(`${FIRST_POSITION}\0`), packet])],
      ['HSET', keys.retainedFacts, topic, `${owner}\0${owner === '' ? '0' : bytes}\0${FIRST_POSITION}`],
      ['ZADD', keys.retainedTopics, '0', topic],
      ...(expiresAt > 0 ? [['ZADD', keys.retainedDue, String(hourOf(expiresAt)), topic]] : []),
      ...(owner === ''
        ? []
        : [
            ['HINCRBY', keys.retainedCounts, owner, '1'],
            ['HINCRBY', keys.retainedBytes, owner, bytes],
          ]),
    ]
  }

  #entries(pieces: readonly Piece[]): Command[] {
    const commands: Command[] = []
    let values: (string | Buffer)[] = []
    let before = ''
    for (const piece of pieces) {
      if (piece.kind !== 'entry') continue
      const { log, entry } = piece
      const block = Math.floor((entry.seq - 1) / BLOCK_ENTRIES)
      const key = this.#keys.block(log.name, log.incarnation, block)
      if (key !== before) commands.push((values = ['RPUSH', key, ...this.#inFrontOf(log, entry)]))
      before = key
      values.push(encodeEntry(entry))
      commands.push(...this.#due(log, entry, block))
    }
    return commands
  }

  /** Elements in place of those of the block in front of the first entry: the place of an entry in it follows from its number. */
  #inFrontOf({ tail }: StoredLog, entry: LogEntry): Buffer[] {
    if (entry.seq !== tail) return []
    const nothing = encodeEntry({
      ...entry,
      from: '',
      origin: '',
      extra: null,
      payload: Buffer.alloc(0),
      gone: { why: 'expired' },
    })
    return new Array<Buffer>((tail - 1) % BLOCK_ENTRIES).fill(nothing)
  }

  #due(log: StoredLog, { extra }: LogEntry, block: number): Command[] {
    if (!extra || extra.expiresAt === 0) return []
    const hour = String(hourOf(extra.expiresAt))
    return [['ZADD', this.#keys.due, hour, `${hour}\0${log.incarnation}\0${block}\0${log.name}`]]
  }
}
