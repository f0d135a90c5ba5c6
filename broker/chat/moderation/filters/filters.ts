/** The screen that applies content filters: those of the configuration, then those that admins keep in the store. */
import { Refusal } from '../../../../schemas/errors.js'
import type { ReactionData } from '../../../../schemas/message.js'
import type { Filter } from '../../../../schemas/moderation.js'
import { type Folded, fold, type Span, unfold } from '../../../util/text-folding.js'
import type { Screen, Verdict } from '../../messages/screening.js'
import type { Actor } from '../../model/actor.js'
import { type CheckedMessage, rewritten } from '../../model/message.js'
import { type CompiledFilter, compileFilters } from './compile.js'

/** Maximum number of masked matches; a message with more is refused. */
const MAX_MASKED = 32

export class ContentFilters implements Screen {
  readonly #configured: readonly CompiledFilter[]
  readonly #stored: () => readonly Filter[]
  #compiled: { of: readonly Filter[]; filters: readonly CompiledFilter[] }

  /** `stored`: the filters in the store; the same array until they change. */
  constructor(configured: readonly Filter[], stored: () => readonly Filter[]) {
    this.#configured = compileFilters(configured)
    this.#stored = stored
    this.#compiled = { of: [], filters: this.#configured }
  }

  screen(_actor: Actor, room: string, message: CheckedMessage): Verdict | undefined {
    const filters = this.#filters()
    if (filters.length === 0) return undefined
    const original = contentText(message)
    if (original === null) return undefined
    const { text, report } = filtered(filters, room, original)
    if (text === original) return report ? { report } : undefined
    // Only text can be masked.
    if (message.text === null) throw refused()
    return { message: rewritten(message, { text }), ...(report ? { report } : {}) }
  }

  #filters(): readonly CompiledFilter[] {
    const stored = this.#stored()
    if (stored !== this.#compiled.of)
      this.#compiled = { of: stored, filters: [...this.#configured, ...compileFilters(stored)] }
    return this.#compiled.filters
  }
}

/** The text, or the emoji of a reaction. */
function contentText({ text, input }: CheckedMessage): string | null {
  return input?.type === 'reaction' ? (input.data as ReactionData).emoji : text
}

/** The text after masking, and the first match to report. Each filter sees the text as the ones before left it. @throws Refusal */
function filtered(
  filters: readonly CompiledFilter[],
  room: string,
  original: string,
): { text: string; report: string | null } {
  let text = original
  let report: string | null = null
  const folded: { lower: Folded | null; as: Folded | null } = { lower: null, as: null }
  for (const filter of filters) {
    if (filter.rooms && !filter.rooms.has(room)) continue
    const form = filter.lower ? 'lower' : 'as'
    const seen = (folded[form] ??= fold(text, filter.lower))
    const found = filter.find(seen.text, filter.action === 'mask' ? MAX_MASKED + 1 : 1)
    if (found.length === 0) continue
    if (filter.action === 'refuse' || found.length > MAX_MASKED) throw refused()
    if (filter.action === 'report') {
      report ??= text.slice(...unfold(seen, found[0]!))
      continue
    }
    text = masked(
      text,
      found.map((span) => unfold(seen, span)),
    )
    folded.lower = folded.as = null
  }
  return { text, report }
}

function masked(text: string, spans: readonly Span[]): string {
  const parts: string[] = []
  let from = 0
  for (const [start, end] of [...spans].sort(([a], [b]) => a - b)) {
    if (end <= from) continue
    const begin = Math.max(start, from)
    parts.push(text.slice(from, begin), '*'.repeat([...text.slice(begin, end)].length))
    from = end
  }
  return parts.join('') + text.slice(from)
}

function refused(): Refusal {
  return new Refusal('forbidden', 'this says what may not be said here (moderation.filters)', { field: 'text' })
}
