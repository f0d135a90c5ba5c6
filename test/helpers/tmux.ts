/** A real terminal for a test: a shell in tmux, with a server of its own. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'
import { until } from './patience.js'

const run = promisify(execFile)
/** What the shell says when it waits for a command. */
export const PROMPT = 'shell$'

export interface TmuxOptions {
  readonly columns?: number
  readonly rows?: number
  /** Of the shell, beside `PATH`. */
  readonly env?: Readonly<Record<string, string>>
}

export class Tmux {
  readonly #server: string
  #records = 0

  private constructor(server: string) {
    this.#server = server
  }

  /** Ended with the test. */
  static async start(t: Test, { columns = 80, rows = 20, env = {} }: TmuxOptions = {}): Promise<Tmux> {
    const folder = mkdtempSync(join(tmpdir(), 'topictalk-tmux-'))
    const tmux = new Tmux(join(folder, 'server'))
    t.teardown(async () => {
      await tmux.#do('kill-server').catch(() => {})
      // What ran there may still be writing at its end.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
    })
    const settings = {
      LANG: 'C.UTF-8',
      PS1: `${PROMPT} `,
      HOME: folder,
      HISTFILE: '',
      PATH: process.env['PATH'] ?? '',
      ...env,
    }
    const named = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
    const size = ['-x', String(columns), '-y', String(rows)]
    const shell = ['env', '-i', 'TERM=screen-256color', ...named, 'bash', '--norc', '--noprofile']
    await tmux.#do('-u', '-f', '/dev/null', 'new-session', '-d', ...size, ...shell)
    await tmux.until(/shell\$/)
    return tmux
  }

  /** Types the text as it is. */
  async type(text: string): Promise<void> {
    await this.#do('send-keys', '-l', '--', text)
  }

  /** Presses keys by the names that tmux has for them. */
  async press(...keys: string[]): Promise<void> {
    await this.#do('send-keys', ...keys)
  }

  async enter(text: string): Promise<void> {
    await this.type(text)
    await this.press('Enter')
  }

  async paste(text: string): Promise<void> {
    await this.#do('set-buffer', '--', text)
    await this.#do('paste-buffer', '-p')
  }

  /** What it shows; with `colours` as escape sequences. */
  async screen({ colours = false } = {}): Promise<string> {
    return this.#do('capture-pane', '-p', ...(colours ? ['-e'] : []))
  }

  /** What has left it at the top, and what it shows. */
  history(): Promise<string> {
    return this.#do('capture-pane', '-p', '-S', '-')
  }

  /** Resolves with the screen when it matches. */
  async until(pattern: RegExp): Promise<string> {
    let screen = ''
    await until(`${pattern} on the screen`, async () => pattern.test((screen = await this.screen()))).catch((error) => {
      throw new Error(`${error.message}:\n${screen}`)
    })
    return screen
  }

  /** The state of the terminal itself: cursor, wrapping, scroll region. */
  modes(): Promise<string> {
    return this.#do(
      'display-message',
      '-p',
      '#{cursor_flag} #{wrap_flag} #{scroll_region_upper}-#{scroll_region_lower}',
    )
  }

  /** As programs have set it. */
  title(): Promise<string> {
    return this.#do('display-message', '-p', '#{pane_title}')
  }

  /** From now on keeps what programs write to the terminal. Returns what waits until that matches, and has it. */
  async record(): Promise<(pattern: RegExp) => Promise<string>> {
    const file = `${this.#server}-${++this.#records}`
    await this.#do('pipe-pane', `cat > '${file}'`)
    return async (pattern) => {
      let written = ''
      const read = async (): Promise<string> => (written = await readFile(file, 'utf8').catch(() => ''))
      await until(`${pattern} in what was written`, async () => pattern.test(await read()))
      return written
    }
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#do('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** Closes the terminal, as whoever closes its window does. */
  async close(): Promise<void> {
    await this.#do('kill-pane')
  }

  /** The program that the shell runs at present. */
  async child(): Promise<number> {
    const shell = (await this.#do('display-message', '-p', '#{pane_pid}')).trim()
    return Number(readFileSync(`/proc/${shell}/task/${shell}/children`, 'utf8').trim().split(' ')[0])
  }

  async #do(...command: string[]): Promise<string> {
    const { stdout } = await run('tmux', ['-S', this.#server, ...command])
    return stdout
  }
}
