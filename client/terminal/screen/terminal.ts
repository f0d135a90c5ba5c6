/** The terminal while it shows the chat: taken at the beginning, and left as it was, whatever happens. */
import { writeSync } from 'node:fs'
import { emitKeypressEvents, type Key } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import type { Size } from './layout.js'

export interface TerminalEvents {
  key(text: string | undefined, key: Key): void
  /** All of it has to be drawn again. */
  lost(): void
  /** Nobody is there any more. */
  closed(): void
  /** What is written when the terminal is left. */
  farewell(): string
}

const CSI = '\x1b['
/** No wrapping at the last column; pasted text is marked. */
const TAKE = `${CSI}?7l${CSI}?2004h`
const GIVE_BACK = `${CSI}?2026l${CSI}?2004l${CSI}?7h${CSI}0m${CSI}?25h`
const DEADLY = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const

export class Terminal {
  readonly #input: ReadStream
  readonly #output: WriteStream
  readonly #events: TerminalEvents
  #isTaken = false
  readonly #leave = (): void => this.#giveBack()
  readonly #resized = (): void => this.#events.lost()
  readonly #closed = (): void => this.#events.closed()
  readonly #pressed = (text: string | undefined, key: Key): void => this.#events.key(text, key)
  readonly #suspended = (): void => this.suspend()
  readonly #resumed = (): void => this.#resume()
  readonly #killed = (signal: NodeJS.Signals): void => {
    this.close()
    process.kill(process.pid, signal)
  }

  constructor(input: ReadStream, output: WriteStream, events: TerminalEvents) {
    this.#input = input
    this.#output = output
    this.#events = events
  }

  get size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 }
  }

  open(): void {
    emitKeypressEvents(this.#input)
    this.#input.on('keypress', this.#pressed).on('end', this.#closed).on('error', this.#closed)
    this.#output.on('resize', this.#resized).on('error', this.#closed)
    process.on('exit', this.#leave).on('uncaughtExceptionMonitor', this.#leave)
    process.on('SIGTSTP', this.#suspended).on('SIGCONT', this.#resumed)
    for (const signal of DEADLY) process.on(signal, this.#killed)
    this.#take()
  }

  /** A second call does nothing. */
  close(): void {
    this.#giveBack()
    this.#input.off('keypress', this.#pressed).off('end', this.#closed).off('error', this.#closed).pause()
    this.#output.off('resize', this.#resized).off('error', this.#closed)
    process.off('exit', this.#leave).off('uncaughtExceptionMonitor', this.#leave)
    process.off('SIGTSTP', this.#suspended).off('SIGCONT', this.#resumed)
    for (const signal of DEADLY) process.off(signal, this.#killed)
  }

  write(text: string): void {
    if (this.#isTaken && text !== '') this.#output.write(text)
  }

  /** Stops this process and those that it was started with, as Ctrl-Z does, until the shell lets it go on. */
  suspend(): void {
    this.#giveBack()
    process.off('SIGTSTP', this.#suspended)
    try {
      process.kill(0, 'SIGTSTP')
    } finally {
      // Where nothing can stop it, there is no SIGCONT either.
      setImmediate(this.#resumed)
    }
  }

  #take(): void {
    if (this.#isTaken) return
    this.#isTaken = true
    this.#input.setRawMode(true).resume()
    const { rows } = this.size
    // What was there before moves up, where it can still be read.
    this.#output.write(`${CSI}${rows};1H${'\n'.repeat(rows)}${TAKE}`)
  }

  #giveBack(): void {
    if (!this.#isTaken) return
    this.#isTaken = false
    try {
      writeSync((this.#output as WriteStream & { readonly fd: number }).fd, this.#events.farewell() + GIVE_BACK)
      this.#input.setRawMode(false)
    } catch {
      // The terminal is gone.
    }
  }

  #resume(): void {
    process.off('SIGTSTP', this.#suspended).on('SIGTSTP', this.#suspended)
    // A shell may have changed its modes meanwhile.
    if (this.#isTaken) this.#input.setRawMode(false).setRawMode(true)
    // What is stopped is not told of another size: this asks for it.
    process.emit('SIGWINCH', 'SIGWINCH')
    this.#take()
    this.#events.lost()
  }
}
