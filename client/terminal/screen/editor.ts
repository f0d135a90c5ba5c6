/** The line being typed: Node's readline edits it, and others show it. */
import { createInterface, type Interface, type Key } from 'node:readline'
import { PassThrough, Writable } from 'node:stream'

/** UTF-16 units. */
const MOST = 20_000
const LINES_KEPT = 200

export class Editor {
  readonly #reader: Interface

  constructor(entered: (line: string) => void) {
    // It reads nothing itself, and what it would draw is drawn elsewhere.
    const output = new Writable({ write: (_chunk, _encoding, done) => done() })
    this.#reader = createInterface({
      input: new PassThrough(),
      output,
      terminal: true,
      historySize: LINES_KEPT,
      prompt: '',
    })
    this.#reader.on('line', entered)
  }

  get line(): string {
    return this.#reader.line
  }

  /** In UTF-16 units. */
  get cursor(): number {
    return this.#reader.cursor
  }

  press(text: string | undefined, key: Key): void {
    if (this.line.length < MOST || text === undefined || key.ctrl || key.name === 'return' || key.name === 'backspace')
      this.#reader.write(text as string, key)
  }

  /** As much of it as there is room for. It has no newline. */
  insert(text: string): void {
    const fits = text.slice(0, Math.max(0, MOST - this.line.length)).replace(/[\ud800-\udbff]$/, '')
    if (fits !== '') this.#reader.write(fits)
  }

  set(line: string, cursor = line.length): void {
    this.#reader.write(null, { name: 'e', ctrl: true })
    this.#reader.write(null, { name: 'u', ctrl: true })
    if (line) this.#reader.write(line)
    while (this.cursor > cursor) this.#reader.write(null, { name: 'left' })
  }

  close(): void {
    this.#reader.close()
  }
}
