/** Says whether the server is set for what acknowledgements promise. Where it is not, no node starts, and one that runs commits nothing until it is. */
import { StoreError } from '../changes.js'
import type { Connection } from './connection.js'
import { aheadOf, checkServer, clockFindings, clockNow, type Needs } from './server-check.js'

/** Ms between two looks: what an operator sets while it runs (CONFIG SET) is not told. */
const LOOK_EVERY = 30_000

export class ServerWatch {
  /** Why nothing is committed; null: nothing hinders it. */
  refusal: string | null = null
  /** As performance.now() tells. */
  #lookedAt = Number.NEGATIVE_INFINITY
  readonly #needs: Needs | null
  readonly #warn: (text: string) => void
  readonly #told = new Set<string>()

  /** @param needs Null: nothing is looked at */
  constructor(needs: Needs | null, warn: (text: string) => void) {
    this.#needs = needs
    this.#warn = warn
  }

  /** When a node begins. @throws StoreError with a line for each thing that has to be changed */
  async begin(connection: Connection): Promise<void> {
    const faults = await this.#look(connection)
    if (faults.length > 0) throw new StoreError(faults.join('\n'))
  }

  /** Whether it is time to look again: what is not as it has to be is looked at all the time. */
  get isDue(): boolean {
    if (!this.#needs) return false
    return this.refusal !== null || performance.now() - this.#lookedAt >= (this.#needs.lookEvery ?? LOOK_EVERY)
  }

  /** When it has another connection, which may lead to another server, and whenever it is due. */
  async check(connection: Connection): Promise<void> {
    const faults = await this.#look(connection)
    const refusal = faults.length > 0 ? faults.join('; ') : null
    if (refusal !== null && kindOf(refusal) !== kindOf(this.refusal ?? '')) this.#warn(`nothing is stored: ${refusal}`)
    if (refusal === null && this.refusal !== null) this.#warn('Redis is as it has to be again')
    this.refusal = refusal
  }

  /** Unix ms of this node. */
  now(): number {
    return (this.#needs?.now ?? clockNow)()
  }

  /** @param time What the server's clock showed some time after `asked` */
  heardClock(time: number, asked: number): void {
    if (this.#needs) for (const { text } of clockFindings(aheadOf(time, asked, this.now()))) this.#tell(text)
  }

  /** Returns what has to be changed. */
  async #look(connection: Connection): Promise<string[]> {
    this.#lookedAt = performance.now()
    const findings = this.#needs ? await checkServer(connection, this.#needs) : []
    for (const { fatal, text } of findings) if (!fatal) this.#tell(text)
    return findings.filter(({ fatal }) => fatal).map(({ text }) => text)
  }

  #tell(text: string): void {
    if (this.#told.has(kindOf(text))) return
    this.#told.add(kindOf(text))
    this.#warn(text)
  }
}

/** The same of what differs in numbers only. */
function kindOf(text: string): string {
  return text.replace(/\d+/g, 'N')
}
