import { StringDecoder } from 'node:string_decoder'
import { CommandError } from './report.js'

/** Longer input is no password. */
const MAX_INPUT = 64 * 1024

/** All of standard input, without a trailing newline. */
export async function readPasswordFromStdin(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) {
    text += chunk
    if (text.length > MAX_INPUT) throw new CommandError('standard input is too long for a password')
  }
  const password = text.replace(/\r?\n$/, '')
  if (password === '') throw new CommandError('standard input holds no password')
  if (/[\r\n]/.test(password)) throw new CommandError('standard input holds more than one line; a password is one')
  return password
}

/** Asks on the terminal without echo; `twice` to detect typing errors. */
export async function askPassword(question: string, twice: boolean): Promise<string> {
  if (!process.stdin.isTTY) throw new CommandError('there is no terminal to ask on; use --password-stdin')
  const password = await askHidden(question)
  if (password === '') throw new CommandError('no password given')
  if (twice && (await askHidden('Once more: ')) !== password) throw new CommandError('the two passwords differ')
  return password
}

function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process
  const decoder = new StringDecoder('utf8')
  let typed: string[] = []
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      stdin.off('data', read).setRawMode(false).pause()
      stderr.write('\n')
      settle()
    }
    const read = (chunk: Buffer) => {
      for (const key of decoder.write(chunk)) {
        if (key === '\r' || key === '\n') return finish(() => resolve(typed.join('')))
        if (key === '\u0003' || key === '\u0004') return finish(() => reject(new CommandError('cancelled')))
        if (key === '\u007f' || key === '\b') typed.pop()
        else if (key === '\u0015') typed = []
        else if (typed.length < MAX_INPUT) typed.push(key)
      }
    }
    stderr.write(question)
    stdin.setRawMode(true).on('data', read).resume()
  })
}
