/** The line being typed: a message, a command, or a message of the user that is being edited. */
import type { Key } from 'node:readline'
import type { DraftPlace, Drafts } from '../../node/index.js'
import { type Candidates, complete } from '../completion.js'
import { parseInput } from '../input.js'
import { Editor } from './editor.js'
import { type InputRow, inputRow, NEWLINE } from './input-row.js'
import { type Action, actionOf } from './keys.js'

export interface ComposerEvents {
  /** `target`: the message that it replaces; null: it is a new line. */
  entered(line: string, target: number | null): void
  /** The user writes a message. */
  typing(): void
  /** What was kept of an earlier time is there. */
  changed(): void
}

/** A room, or a thread of it. */
export interface ComposerPlace {
  readonly room: string
  readonly thread: number | null
}

export class Composer {
  readonly #editor: Editor
  readonly #events: ComposerEvents
  /** What was begun and not entered. */
  readonly #drafts: Pick<Drafts, 'of' | 'set'>
  #place: ComposerPlace
  #stopDraft: () => void = () => {}
  /** What of the line is kept as a draft. */
  #kept = ''
  #editing: number | null = null
  /** What was pasted of a text that goes on; null: nothing is being pasted. */
  #pasted: string | null = null
  #choices: readonly string[] = []

  constructor(events: ComposerEvents, drafts: Pick<Drafts, 'of' | 'set'>, place: ComposerPlace) {
    this.#events = events
    this.#drafts = drafts
    this.#place = place
    this.#editor = new Editor((line) => {
      const target = this.#editing
      this.#editing = null
      this.#keep()
      events.entered(line.replaceAll(NEWLINE, '\n'), target)
    })
    this.open(place)
  }

  /** What Tab has found, if it is more than one. */
  get choices(): readonly string[] {
    return this.#choices
  }

  /** Types the key; or returns what else it does. */
  pressed(text: string | undefined, key: Key): Action | null {
    this.#choices = []
    if (key.name === 'paste-start') this.#pasted = ''
    else if (key.name === 'paste-end') this.#paste()
    // It comes one character at a time, and each one that is inserted costs as much as the line is long.
    else if (this.#pasted !== null) this.#pasted += text ?? ''
    else {
      const action = actionOf(key, { isEmpty: this.#editor.line === '', isEditing: this.#editing !== null })
      if (action) return action
      this.#type(text, key)
    }
    this.#keep()
    return null
  }

  /** Nothing is typed, or edited. */
  get isEmpty(): boolean {
    return this.#editor.line === '' && this.#editing === null
  }

  /** What is entered next replaces the message of this number; null: it is a new line. */
  edit(seq: number | null, text: string): void {
    this.#editing = seq
    this.#editor.set(onOneLine(text))
    this.#keep()
  }

  clear(): void {
    this.edit(null, '')
  }

  newline(): void {
    this.#editor.insert(NEWLINE)
    this.#keep()
  }

  complete(candidates: Candidates): void {
    const { line, cursor } = this.#editor
    const completed = complete(line, cursor, candidates)
    if (!completed) return
    this.#editor.set(completed.line, completed.cursor)
    this.#choices = completed.choices
    this.#keep()
  }

  /** Another room is opened, or a thread: what was begun there goes on, and an edit is given up. */
  open(place: ComposerPlace): void {
    this.#stopDraft()
    this.#place = place
    this.#editing = null
    const draft = this.#drafts.of(place.room, threadOf(place))
    this.#stopDraft = draft.subscribe((text) => this.#drafted(text))
    this.#kept = draft.current
    this.#editor.set(onOneLine(draft.current))
  }

  row(place: string, width: number, newline: string): InputRow {
    const prompt = this.#editing === null ? `${place}> ` : `edit #${this.#editing}> `
    return inputRow(this.#editor.line, this.#editor.cursor, prompt, width, newline)
  }

  close(): void {
    this.#stopDraft()
    this.#editor.close()
  }

  /** What the device has kept comes late; what is typed meanwhile goes before it. */
  #drafted(text: string): void {
    if (text === this.#kept || !this.isEmpty) return
    this.#kept = text
    this.#editor.set(onOneLine(text))
    this.#events.changed()
  }

  /** As a draft, unless it replaces a message. */
  #keep(): void {
    const text = this.#editing === null ? this.#editor.line.replaceAll(NEWLINE, '\n') : ''
    if (text === this.#kept) return
    this.#kept = text
    this.#drafts.set(this.#place.room, text, threadOf(this.#place))
  }

  #paste(): void {
    this.#editor.insert(onOneLine(this.#pasted ?? ''))
    this.#pasted = null
  }

  #type(text: string | undefined, key: Key): void {
    const before = this.#editor.line
    this.#editor.press(text, key)
    const { line } = this.#editor
    if (line !== before && isForRoom(line)) this.#events.typing()
  }
}

function threadOf({ thread }: ComposerPlace): DraftPlace {
  return thread === null ? {} : { thread }
}

/** Neither a command nor a direct message, nor the beginning of one. */
function isForRoom(line: string): boolean {
  return parseInput(line).kind === 'text' && !/^[@/]\S*\s*$/.test(line)
}

/** As the editor takes it: whatever ends a line there would enter it. Without control characters. */
function onOneLine(text: string): string {
  return text.replace(/\r\n?|[\n\u2028\u2029]/g, NEWLINE).replace(/(?!\t)\p{Cc}/gu, '')
}
