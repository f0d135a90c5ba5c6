/** What `topictalk migrate` prints: how far it has come, and what was moved. */

import type { MoveProgress } from '../store/moving/move.js'
import type { KindSummary } from '../store/moving/summary.js'
import { printError } from './output.js'

/** Ms between two lines: on a terminal, where the line is overwritten, and elsewhere. */
const LOOK_EVERY = 250
const TELL_EVERY = 30_000

export class ProgressLine {
  readonly #isTerminal = process.stderr.isTTY === true
  #stage: MoveProgress['stage'] | null = null
  #since = 0
  #shownAt = performance.now()

  show(progress: MoveProgress): void {
    const now = performance.now()
    if (progress.stage !== this.#stage) {
      this.#stage = progress.stage
      this.#since = now
    }
    if (now - this.#shownAt < (this.#isTerminal ? LOOK_EVERY : TELL_EVERY)) return
    this.#shownAt = now
    const text = progressText(progress, (now - this.#since) / 1000)
    if (this.#isTerminal) process.stderr.write(`\r\x1b[K${text}`)
    else printError(text)
  }

  end(): void {
    if (this.#isTerminal) process.stderr.write('\r\x1b[K')
  }
}

/** @param seconds Of this stage */
export function progressText({ stage, kind, pieces, bytes }: MoveProgress, seconds: number): string {
  const rate = seconds > 0 ? `, ${Math.round(pieces / seconds)} a second` : ''
  return `${stage}${kind ? `, ${labelOf(kind)}` : ''}: ${pieces} records (${megabytes(bytes)})${rate}`
}

export function moveTable(moved: readonly KindSummary[]): string[] {
  const rows = moved.map(({ kind, count, bytes, checksum }) => [labelOf(kind), String(count), String(bytes), checksum])
  const head = ['kind', 'records', 'bytes', 'checksum'] as const
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const total = moved.reduce((sum, { count }) => sum + count, 0)
  const size = moved.reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    ...[head, ...rows].map((row) =>
      row
        .map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    ),
    `moved ${total} records (${megabytes(size)}); both ends were read and are the same`,
  ]
}

/** As the documentation calls what is not a table. */
const LABELS: Readonly<Partial<Record<KindSummary['kind'], string>>> = {
  entry: 'log entry',
  cid: 'client-chosen id',
  packet: 'queued message',
  reference: 'place in a queue',
  retained: 'retained message',
  mark: 'mark of a log',
}

function labelOf(kind: KindSummary['kind']): string {
  return LABELS[kind] ?? kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
