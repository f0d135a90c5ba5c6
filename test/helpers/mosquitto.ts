/** The mosquitto command-line clients (3.1.1) as processes. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import type { TestBroker } from './broker.js'

export interface Login {
  port: number
  user: string
  password: string
}

/** With a token of the user. */
export async function login(broker: TestBroker, user: string): Promise<Login> {
  return { port: broker.port, user, password: await broker.token(user) }
}

export interface Finished {
  code: number | null
  lines: string[]
  stderr: string
}

function start({ port, user, password }: Login, program: readonly string[], args: readonly string[]) {
  const [command, ...before] = program
  return spawn(command!, [...before, '-p', String(port), '-u', user, '-P', password, ...args])
}

async function finish(child: ChildProcessWithoutNullStreams, input: string): Promise<Finished> {
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, lines: stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n'), stderr }
}

/** Runs `mosquitto_pub`, `mosquitto_sub` or `mosquitto_rr` until it exits. */
export function mosquitto(program: 'pub' | 'sub' | 'rr', login: Login, args: string[], input = ''): Promise<Finished> {
  const version = program === 'rr' ? ['-V', '311'] : []
  return finish(start(login, [`mosquitto_${program}`, ...version], args), input)
}

export interface Heard {
  qos: number
  retain: boolean
  topic: string
  payload: string
}

/** A running `mosquitto_sub`, whose messages can be waited for. */
export class MosquittoSub {
  readonly heard: Heard[] = []
  /** Return codes of the SUBACK. */
  granted: number[] | null = null
  readonly #child: ChildProcessWithoutNullStreams
  readonly #gone: Promise<unknown>
  #waiting: (() => void)[] = []

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child
    this.#gone = new Promise((resolve) => child.once('close', resolve))
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(line))
  }

  /** Resolves when the broker has acknowledged the subscriptions. */
  static async start(t: Test, login: Login, args: string[]): Promise<MosquittoSub> {
    // It buffers its output to a pipe, unless told to write line by line.
    const child = start(login, ['stdbuf', '-oL', 'mosquitto_sub'], ['-d', '-F', '> %q %r %t %p', ...args])
    const sub = new MosquittoSub(child)
    t.teardown(() => child.kill('SIGKILL'))
    while (!sub.granted) await sub.#progress()
    return sub
  }

  /** Resolves with the messages received once `count` of them match. */
  async wait(count: number, pass: (heard: Heard) => boolean = () => true): Promise<Heard[]> {
    while (this.heard.filter(pass).length < count) await this.#progress()
    return this.heard.filter(pass)
  }

  /** Ends with a DISCONNECT. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#gone
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #take(line: string): void {
    const [, qos, retain, topic, payload] = /^> (\d) (\d) (\S+) (.*)$/.exec(line) ?? []
    if (topic !== undefined) this.heard.push({ qos: Number(qos), retain: retain === '1', topic, payload: payload! })
    const subscribed = /^Subscribed \(mid: \d+\): (.*)$/.exec(line)
    if (subscribed) this.granted = subscribed[1]!.split(', ').map(Number)
    for (const check of this.#waiting.splice(0)) check()
  }
}
