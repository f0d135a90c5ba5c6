/** Commits groups of changes, one request at a time. A request that got no answer is sent again under its number, until the store says what became of it. */
import { isSysTopic } from '../../../schemas/topics.js'
import { type Change, GuardConflict, StoreError } from '../changes.js'
import type { StoreCounts } from '../store.js'
import { type Answer, type Outcome, readAnswer } from './answer.js'
import { CommitWords, type RedisChange, type SentChange, type Word, type WordSources } from './commit-words.js'
import type { Committed, LocalStep } from './events.js'

export interface CommitterDeps {
  readonly sources: () => WordSources
  /** Sends a request until it is answered; `heard` is called in the order of the connection. @throws StoreError when it was given up: it may have been performed all the same */
  readonly send: (words: readonly Word[], heard: (reply: Buffer) => void) => Promise<void>
  /** Follows a commit of this node. */
  readonly hear: (commit: Committed) => void
  /** For a request that committed nothing. */
  readonly follow: (steps: readonly LocalStep[]) => void
  /** Resolves when memory has a commit; undefined: it has. @throws StoreError when it is not there in time */
  readonly whenReached: (number: number) => Promise<void> | undefined
  readonly counts: StoreCounts
  readonly onFault: (error: unknown) => void
  /** Of messages that a full queue did not take. */
  readonly dropped: (count: number) => void
}

export class Committer {
  readonly #deps: CommitterDeps

  constructor(deps: CommitterDeps) {
    this.#deps = deps
  }

  /** Settles every change of the group. Never throws. */
  async write(group: readonly RedisChange[]): Promise<void> {
    let left = group
    while (left.length > 0) {
      try {
        left = await this.#request(left)
      } catch (error) {
        return this.#fail(
          left,
          error instanceof StoreError ? error : new StoreError('the commit failed', { cause: error }),
        )
      }
    }
  }

  /** Returns the changes that have to be sent once more. */
  async #request(group: readonly RedisChange[]): Promise<readonly RedisChange[]> {
    const { counts, send, hear, follow, whenReached } = this.#deps
    const words = this.#encode(group)
    if (words.sent.length === 0) return []
    let answer: Answer | null = null
    await send(words.words, (reply) => {
      answer = readAnswer(reply, words.sent)
      this.#count(answer)
      const local = localSteps(words.sent, answer.outcomes)
      if (answer.commit) hear({ ...answer.commit, local })
      else if (local.length > 0) follow(local)
    })
    const { commit, last, position, writes, outcomes } = answer! as Answer
    counts.writes += writes
    if (commit && words.sent.some(({ change }) => !change.lazy)) counts.commits++
    await whenReached(commit?.number ?? last)
    words.sent.forEach(({ change }, i) => {
      const outcome = outcomes[i]
      if (outcome) this.#settle(change, outcome, position)
    })
    return words.sent.slice(outcomes.length).map(({ change }) => change)
  }

  #encode(group: readonly RedisChange[]): CommitWords {
    const words = new CommitWords(this.#deps.sources())
    for (const change of group) {
      try {
        words.add(change)
      } catch (cause) {
        const error = new StoreError('a change cannot be written', { cause })
        this.#deps.onFault(error)
        this.#fail([change], error)
      }
    }
    return words
  }

  #count({ outcomes }: Answer): void {
    for (const { results, dropped } of outcomes) {
      this.#deps.dropped(dropped)
      for (const { outcome } of results ?? []) {
        if (outcome === 'appended') this.#deps.counts.appended++
        else if (outcome === 'duplicate') this.#deps.counts.duplicates++
      }
    }
  }

  #settle(change: Pick<Change, 'settled'>, { results, enqueued }: Outcome, position: number): void {
    try {
      if (!results) change.settled(new GuardConflict(position), [])
      else change.settled(null, results, enqueued.length > 0 ? enqueued : undefined)
    } catch (error) {
      this.#deps.onFault(error)
    }
  }

  #fail(group: readonly RedisChange[], error: StoreError): void {
    this.#deps.counts.failures++
    for (const change of group)
      try {
        change.settled(error, [])
      } catch (fault) {
        this.#deps.onFault(fault)
      }
  }
}

/** What the ops of a request do in the memory of this node only, in their order. */
function localSteps(sent: readonly SentChange[], outcomes: readonly Outcome[]): LocalStep[] {
  const steps: LocalStep[] = []
  for (const [i, { results, cuts }] of outcomes.entries()) {
    if (!results) continue
    let cut = 0
    for (const op of sent[i]!.change.ops)
      if (op.type === 'cut') steps.push({ cut: op.cut, at: cuts[cut++]! })
      else if (op.type === 'retain' && isSysTopic(op.topic)) steps.push({ retain: op })
  }
  return steps
}
