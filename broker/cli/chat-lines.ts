/** Lines for `topictalk chat`: from a pipe, or from a person at a terminal, whom Tab helps. */
import { createInterface, type Interface } from 'node:readline'
import type { LineChatOptions } from '../../client/terminal/line-chat.js'

type Complete = Parameters<NonNullable<LineChatOptions['completing']>>[0]

/** With `isTyped` lines are edited here, else by the terminal itself, if there is one. */
export function openLines(isTyped: boolean) {
  const { stdin, stdout } = process
  let complete: Complete = () => null
  const reader = isTyped
    ? createInterface({ input: stdin, output: stdout, terminal: true, prompt: '', completer })
    : createInterface({ input: stdin, terminal: false })
  const lines = reader[Symbol.asyncIterator]()
  const close = (): void => reader.close()
  const stopSignals = whenSignalled(reader, close)
  // Nobody reads it any more.
  for (const output of [stdout, process.stderr]) output.on('error', close)
  const printing = (print: (line: string) => void) => (line: string) => besideTyping(reader, line, print)

  function completer(line: string): [string[], string] {
    const done = complete(line)
    if (!done) return [[], line]
    const { choices, from } = done
    return [choices.length > 0 ? [...choices] : [done.line.slice(from)], line.slice(from)]
  }

  return {
    lines: { [Symbol.asyncIterator]: () => lines },
    firstLine: async () => (await lines.next()).value ?? '',
    isRead: stdin.isTTY === true && stdout.isTTY === true,
    completing: (by: Complete) => void (complete = by),
    print: printing((line) => console.log(line)),
    printStatus: printing((line) => console.error(line)),
    close: () => {
      stopSignals()
      close()
    },
  }
}

/** What is half typed is shown again below what comes: nothing is drawn over. */
function besideTyping(reader: Interface, line: string, print: (line: string) => void): void {
  if (reader.terminal !== true || reader.line === '') return print(line)
  print(`\n${line}`)
  // The rows of the line are above; it begins anew here.
  Object.assign(reader, { prevRows: 0 })
  reader.prompt(true)
}

/** Ctrl-C ends the input. What else ends the process leaves the terminal as it was. Returns a function that ends this. */
function whenSignalled(reader: Interface, close: () => void): () => void {
  const hungUp = (): void => {
    close()
    process.kill(process.pid, 'SIGHUP')
  }
  process.once('SIGINT', close).once('SIGHUP', hungUp)
  reader.on('SIGINT', close)
  return () => void process.off('SIGINT', close).off('SIGHUP', hungUp)
}
