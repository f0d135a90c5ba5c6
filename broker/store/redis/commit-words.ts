/** A group of changes as the words that the script reads (lua/commit.lua), and what the node has to remember of them until they settle. */
import { isSysTopic } from '../../../schemas/topics.js'
import type { Change, Draft } from '../changes.js'
import type { Effect } from '../effect.js'
import { hourOf, isNameless } from '../gone.js'
import type { Guards } from '../guards.js'
import type { LogName } from '../log-name.js'
import { GUARDED_NOTES, NOTE_LETTERS } from '../notes.js'
import type { EnqueueOp, Op, RetainEntryOp, TableOp } from '../op.js'
import { encodeMessage } from '../packet-codec.js'
import { keyPart, SINGLE_KEYS, type TableChange } from '../tables.js'
import { dedupeWords } from './dedupe.js'
import { encodeDraft } from './entry-codec.js'

export type Word = string | Buffer

/** Ops of the adapter itself, for what is no change of the port. */
export type UpkeepOp =
  | { readonly type: 'trim'; readonly log: LogName; readonly upTo: number }
  | {
      readonly type: 'expire'
      readonly member: string
      readonly log: LogName
      readonly incarnation: string
      readonly block: string
    }
  | { readonly type: 'expireRetained'; readonly topic: string; readonly at: number }
  | { readonly type: 'forgetLevel'; readonly level: string; readonly commit: string }

export type RedisOp = Op | UpkeepOp

export interface RedisChange extends Omit<Change, 'ops'> {
  readonly ops: readonly RedisOp[]
}

/** For whom a message is queued. */
export interface Receivers {
  readonly sessions: readonly string[]
  readonly qos: readonly number[]
  /** By position: the queue takes it whether or not it is full. */
  readonly forced: readonly boolean[]
  /** They were matched in memory: void if subscriptions have changed since. */
  readonly matched: boolean
}

export interface WordSources {
  /** Whether a reader follows logs of that name. */
  wants(log: LogName): boolean
  /** @param before Changes of subscriptions that the same change makes first */
  receivers(op: EnqueueOp, before: readonly TableChange[]): Receivers
  /** Position of the latest of these cuts; null: one of them has not begun or has ended, and so the message was not replaced after it. */
  cutAt(topic: string, cuts: readonly number[]): number | null
  /** For new records of client-chosen ids. */
  generation: number
}

/** What the outcome of a change is told by. */
export interface SentChange {
  readonly change: RedisChange
  /** Of each `enqueue`, in their order. */
  readonly receivers: readonly Receivers[]
}

export class CommitWords {
  /** The first says how many changes there are. */
  readonly words: Word[] = ['0']
  readonly sent: SentChange[] = []
  readonly #sources: WordSources
  /** Of the change that is being added, and how many of them are among the words. */
  #receivers: Receivers[] = []
  #enqueued = 0

  constructor(sources: WordSources) {
    this.#sources = sources
  }

  /** @throws TypeError or RangeError if it cannot be written; then nothing of it is among the words */
  add(change: RedisChange): void {
    const { words } = this
    const start = words.length
    this.#receivers = []
    this.#enqueued = 0
    try {
      words.push('')
      this.#addConditions(change)
      words.push(String(change.drafts.length))
      for (const draft of change.drafts) this.#addDraft(draft)
      for (const op of change.ops) this.#addOp(op, change.drafts)
      words[start] = String(words.length - start - 1)
    } catch (error) {
      words.length = start
      throw error
    }
    this.sent.push({ change, receivers: this.#receivers })
    words[0] = String(this.sent.length)
  }

  #addConditions({ drafts, ops, guards, asOf }: RedisChange): void {
    const { words } = this
    if (guards) this.#addGuards(guards)
    else if (asOf !== undefined) words.push('a', String(asOf))
    else words.push('n')
    this.#addLevels(ops)
    const isDated = guards || asOf !== undefined
    const logs = isDated ? logsOf(drafts, ops) : []
    words.push(String(logs.length), ...logs)
  }

  #addGuards({ at, keys, limits = [], same = [], retained }: Guards): void {
    const { words } = this
    words.push('g', String(at), String(keys.length), ...keys, String(limits.length))
    for (const { table, owner, most } of limits) words.push(table, keyPart(owner), String(most))
    words.push(String(same.length))
    for (const { table, key, value } of same) words.push(table, key, value === null ? '0' : '1', value ?? '')
    if (!retained) return void words.push('0')
    const { owners, topic, bytes, most } = retained
    words.push('1', String(owners.length), ...owners, topic, ...[bytes, most.messages, most.bytes].map(String))
  }

  /** First levels of the topics whose receivers are matched in memory. */
  #addLevels(ops: readonly RedisOp[]): void {
    const { words } = this
    const at = words.push('0') - 1
    const before: TableChange[] = []
    for (const op of ops) {
      if (isOfSubscription(op)) before.push(changeOf(op))
      if (op.type !== 'enqueue') continue
      const receivers = this.#sources.receivers(op, before)
      this.#receivers.push(receivers)
      if (receivers.matched) words.push(keyPart(op.topic.split('/', 1)[0]!))
    }
    words[at] = String(words.length - at - 1)
  }

  #addDraft(draft: Draft): void {
    const { words } = this
    const { log, extra, dedupe, retryOnly, effect } = draft
    const [before, after] = encodeDraft(draft)
    const due = extra && extra.expiresAt > 0 ? String(hourOf(extra.expiresAt)) : ''
    words.push(log, this.#sources.wants(log) ? '1' : '0', before, after, due)
    if (dedupe) {
      const { field, bucket, hash, rest } = dedupeWords(draft)
      words.push(field, bucket, String(this.#sources.generation), hash, rest)
    } else words.push('')
    words.push(retryOnly ? '1' : '0', effect ? '1' : '0')
    if (effect) this.#addEffect(effect)
  }

  #addEffect({ notes = [], erase }: Effect): void {
    const { words } = this
    words.push(String(notes.length))
    for (const { kind, target, name, value } of notes) {
      words.push(NOTE_LETTERS[kind], GUARDED_NOTES.has(kind) ? '1' : '0', target === null ? '' : String(target))
      words.push(name === null ? '0' : '1', name ?? '')
      if (value === null) words.push('x', '', '')
      else if (typeof value === 'string') words.push('v', value, '')
      else words.push('n', value[0], value[1])
    }
    const { seqs = [], gone } = erase ?? {}
    words.push(gone ? JSON.stringify(gone) : '', isNameless(gone) ? '1' : '0', String(seqs.length), ...seqs.map(String))
  }

  #addOp(op: RedisOp, drafts: readonly Draft[]): void {
    const { words } = this
    switch (op.type) {
      case 'put':
      case 'delete':
      case 'clear':
        return this.#addTableOp(op)
      case 'touch':
        return void words.push('t', op.guard)
      case 'effect':
        words.push('e', op.log)
        return this.#addEffect(op.effect)
      case 'enqueue':
        return this.#addEnqueue(op)
      case 'dequeue':
        return void words.push('D', op.sessionId, String(op.number))
      case 'discardQueue':
        return void words.push('d', op.sessionId)
      case 'retain':
        if (isSysTopic(op.topic)) return
        if (op.packet === null) return void words.push('r', op.topic)
        return void words.push('R', op.topic, op.packet, op.owner ?? '', String(op.bytes), dueOf(op.expiresAt))
      case 'retainEntry':
        return this.#addRetainEntry(op, drafts[op.draft]!)
      case 'cut':
        return void words.push('c')
      case 'readLog':
        return void words.push('m', op.log, String(op.seq), op.incarnation ? String(op.incarnation) : '')
      case 'dropLog':
        return void words.push('G', op.log)
      case 'trim':
        return void words.push('T', op.log, String(op.upTo))
      case 'expire':
        return void words.push('x', op.member, op.log, op.incarnation, op.block)
      case 'forgetLevel':
        return void words.push('b', op.level, op.commit)
      case 'expireRetained':
        return void words.push('y', op.topic, String(op.at))
      default:
        throw new TypeError(`an op of no kind that this store knows: ${JSON.stringify((op as Op).type)}`)
    }
  }

  #addTableOp(op: TableOp): void {
    const { words } = this
    if (op.wipe) words.push('W')
    if (op.type === 'clear') return void words.push('K', op.table, keyPart(op.owner))
    if (SINGLE_KEYS.has(op.table) === op.key.includes('\0'))
      throw new TypeError(
        `the table ${op.table} has keys of ${SINGLE_KEYS.has(op.table) ? 'one part' : 'several parts'}`,
      )
    if (op.type === 'delete') words.push('X', op.table, op.key)
    else words.push('P', op.table, op.key, op.value)
  }

  #addEnqueue({ packet, bytes, topic, copyAt }: EnqueueOp): void {
    const { words } = this
    const index = this.#enqueued++
    const { sessions, qos, forced } = this.#receivers[index]!
    const cut = copyAt ? this.#sources.cutAt(topic, copyAt) : null
    words.push('q', packet, String(bytes), topic, cut === null ? '' : String(cut), String(sessions.length))
    for (const [i, session] of sessions.entries()) words.push(session, String(qos[i]), forced[i] ? '1' : '0')
  }

  /** Its packet is that of the retained message, with a gap for the number. */
  #addRetainEntry({ topic, draft: index }: RetainEntryOp, { body, extra = null }: Draft): void {
    const message = { topic, payload: Buffer.alloc(0), qos: 1, retain: true, clientId: null, extra } as const
    const { bytes, seqAt } = body
    const before = Buffer.concat([encodeMessage(message), bytes.subarray(0, seqAt)])
    this.words.push('w', topic, String(index), before, bytes.subarray(seqAt), dueOf(extra?.expiresAt ?? 0))
  }
}

function dueOf(expiresAt: number): string {
  return expiresAt > 0 ? String(hourOf(expiresAt)) : ''
}

/** The logs that a change adds to or whose entries it changes. */
function logsOf(drafts: readonly Draft[], ops: readonly RedisOp[]): LogName[] {
  const logs = new Set<LogName>()
  for (const { log } of drafts) logs.add(log)
  for (const op of ops) if (op.type === 'effect') logs.add(op.log)
  return [...logs]
}

function isOfSubscription(op: RedisOp): op is TableOp {
  return (op.type === 'put' || op.type === 'delete' || op.type === 'clear') && op.table === 'subscription'
}

function changeOf(op: TableOp): TableChange {
  const { table } = op
  return op.type === 'clear'
    ? { table, owner: op.owner }
    : { table, key: op.key, value: op.type === 'put' ? op.value : null }
}
