/** `topictalk migrate` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { CLI } from './command.js'

export interface MigrateOutcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface MigrateRun {
  readonly child: ChildProcess
  readonly outcome: Promise<MigrateOutcome>
}

/** @param cwd A directory without a config.yaml */
export function startMigrate(cwd: string, ...options: string[]): MigrateRun {
  const child = spawn(process.execPath, [CLI, 'migrate', ...options], { cwd, env: { PATH: process.env['PATH'] } })
  const ended = async (): Promise<MigrateOutcome> => {
    const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
    return { code, stdout, stderr }
  }
  return { child, outcome: ended() }
}

export function runMigrate(cwd: string, ...options: string[]): Promise<MigrateOutcome> {
  return startMigrate(cwd, ...options).outcome
}
