/** Links to files, as `<img src>` needs them: asked for together, and anew before they end. */
import type { CommandResult } from '../../schemas/commands.js'
import { ChatError } from '../base/chat-error.js'
import type { Clock } from '../base/platform.js'
import type { Methods } from '../requests/method-types.js'

type Link = CommandResult<'files.links'>['links'][number]

/** Links that are kept. */
const MOST_LINKS = 500
/** Files that the broker makes links to at a time. */
const MOST_ASKED = 100
/** Ms: a link is not given out in the last part of its life; it is believed to last for some time, and not too long, however wrong the clock of the device is. */
const LAST = 60_000
const SHORTEST = 30_000
const LONGEST = 240_000

interface Kept {
  readonly link: Link
  /** Unix ms. The clock of the device may be set back meanwhile. */
  readonly since: number
  readonly until: number
}

interface Batch {
  readonly files: Set<string>
  readonly answer: Promise<ReadonlyMap<string, Link>>
}

export class Links {
  readonly #ask: Pick<Methods, 'files'>
  readonly #clock: Pick<Clock, 'now'>
  #kept = new Map<string, Kept>()
  /** Is asked for at the end of this turn. */
  #next: Batch | null = null

  constructor(ask: Pick<Methods, 'files'>, clock: Pick<Clock, 'now'>) {
    this.#ask = ask
    this.#clock = clock
  }

  /** Rejects with a `ChatError`: `not_found` if the user may not read the file now. */
  async of(file: string): Promise<Link> {
    const kept = this.#kept.get(file)
    const now = this.#clock.now()
    if (kept && kept.since <= now && now < kept.until) return kept.link
    if (!this.#next || this.#next.files.size >= MOST_ASKED) this.#next = this.#batch()
    const { files, answer } = this.#next
    files.add(file)
    const link = (await answer).get(file)
    if (link) return link
    throw new ChatError('not_found', `there is no file ${file}, or none for this user`)
  }

  /** They are the user's alone. */
  forget(): void {
    this.#kept = new Map()
    this.#next = null
  }

  #batch(): Batch {
    const files = new Set<string>()
    const kept = this.#kept
    const answer = Promise.resolve().then(async () => {
      if (this.#next?.files === files) this.#next = null
      const { links, expiresAt } = await this.#ask.files.links({ files: [...files] })
      const now = this.#clock.now()
      const until = now + Math.min(LONGEST, Math.max(SHORTEST, expiresAt - LAST - now))
      for (const link of links) {
        kept.delete(link.file)
        kept.set(link.file, { link, since: now, until })
      }
      for (const file of kept.keys()) if (kept.size > MOST_LINKS) kept.delete(file)
      return new Map(links.map((link) => [link.file, link]))
    })
    return { files, answer }
  }
}
