/** What Tab makes of a line. Pure. */
import type { Command } from './command.js'

export interface Completion {
  readonly line: string
  readonly cursor: number
  /** Where the word begins that was completed. */
  readonly from: number
  /** If there are several that fit. */
  readonly choices: readonly string[]
}

export interface Candidates {
  /** Names of commands, without the slash. */
  readonly commands: readonly string[]
  readonly users: readonly string[]
  readonly rooms: readonly string[]
  /** What follows this command; undefined: users. */
  follows(command: string): Command['completes']
  /** Paths that begin with this. */
  paths(start: string): readonly string[]
}

/** Completes the word before the cursor; null: there is nothing that fits. */
export function complete(line: string, cursor: number, candidates: Candidates): Completion | null {
  const [before, after] = [line.slice(0, cursor), line.slice(cursor)]
  const kind = kindAt(before, candidates)
  const word = (kind === 'path' ? /"[^"]*$|\S*$/ : /\S*$/).exec(before)![0]
  const start = before.slice(0, before.length - word.length)
  const fitting = kind === 'path' ? pathsFor(word, candidates) : fits(start, word, kind, candidates)
  if (fitting.length === 0) return null
  const only = fitting.length === 1
  const typed = start + commonStart(fitting) + (only ? endOf(fitting[0]!, start, after) : '')
  return { line: typed + after, cursor: typed.length, from: start.length, choices: only ? [] : fitting }
}

/** What the command takes that the line begins with, behind a number of a message if there is one. */
function kindAt(before: string, { follows }: Candidates): Command['completes'] {
  const name = /^\/(\S+)\s+(?:#\d+\s+)?(?:"[^"]*|\S*)$/.exec(before)?.[1]
  return name === undefined ? undefined : follows(name)
}

/** Those with spaces stand between quotes. */
function pathsFor(word: string, { paths }: Candidates): string[] {
  const found = paths(word.replace(/^"/, ''))
  const isQuoted = word.startsWith('"') || found.some((path) => /\s/.test(path))
  return isQuoted ? found.map((path) => `"${path}`) : [...found]
}

/** What follows the only word that fits. */
function endOf(word: string, start: string, after: string): string {
  if (word.endsWith('/')) return ''
  const quote = word.startsWith('"') ? '"' : ''
  if (after.startsWith(' ')) return quote
  return start === '' && !/^[/@]/.test(word) ? ': ' : `${quote} `
}

function fits(
  start: string,
  word: string,
  kind: Command['completes'],
  { commands, users, rooms }: Candidates,
): string[] {
  const beginning = (names: readonly string[], sign = ''): string[] =>
    names.map((name) => sign + name).filter((name) => name.toLowerCase().startsWith(word.toLowerCase()))
  if (start === '' && word.startsWith('/')) return beginning(commands, '/')
  if (kind === 'command') return beginning(commands)
  if (kind === 'room') return beginning(rooms)
  if (word.startsWith('@')) return beginning(users, '@')
  return word === '' ? [] : beginning(users)
}

function commonStart(names: readonly string[]): string {
  const [first = '', ...others] = names
  let length = first.length
  for (const name of others) while (!name.toLowerCase().startsWith(first.slice(0, length).toLowerCase())) length--
  return first.slice(0, length)
}
