/** The daemon of ClamAV, with a database of one signature. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Test } from 'tap'
import { endWithUs } from './end-with-us.js'
import { freePort } from './free-port.js'

export interface Clamd {
  /** The path of its socket. */
  readonly socket: string
  /** Its TCP port on this machine. */
  readonly port: number
}

/** Finds `words` in files, as `NAME.UNOFFICIAL`. Resolves when it takes connections; ends with the test. */
export async function startClamd(t: Test, name: string, words: string): Promise<Clamd> {
  const directory = mkdtempSync(join(tmpdir(), 'topictalk-clamd-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const database = join(directory, 'database')
  mkdirSync(database)
  writeFileSync(join(database, 'test.ndb'), `${name}:0:*:${Buffer.from(words).toString('hex')}\n`)
  const [socket, port, config] = [join(directory, 'clamd.ctl'), await freePort(), join(directory, 'clamd.conf')]
  const settings = {
    ...{ Foreground: 'yes', DatabaseDirectory: database, TemporaryDirectory: directory, LocalSocket: socket },
    ...{ TCPAddr: '127.0.0.1', TCPSocket: port, StreamMaxLength: '1M', MaxThreads: 2, SelfCheck: 0 },
  }
  writeFileSync(
    config,
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  )
  const PATH = `${process.env['PATH']}:/usr/sbin`
  const clamd = spawn('clamd', ['--config-file', config], {
    env: { ...process.env, PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  clamd.once('spawn', () => endWithUs(clamd))
  t.teardown(async () => {
    clamd.kill()
    if (clamd.exitCode === null) await once(clamd, 'exit')
  })
  await ready(clamd.stdout)
  return { socket, port }
}

/** Resolves when it has its sockets and its database. @throws with what it said, if it ended */
async function ready(output: Readable): Promise<void> {
  let said = ''
  const lines = createInterface({ input: output })
  for await (const line of lines) {
    said += `${line}\n`
    if (/Self checking|SelfCheck/i.test(line)) {
      // What comes is still to be taken from the pipe.
      output.resume()
      return
    }
  }
  throw new Error(`clamd ended:\n${said}`)
}
