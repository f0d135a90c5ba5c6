/** How failed commands end: expected errors print one line, bugs a stack. */
// Not through schemas/config.ts: a command that only prints its help loads no schema.
import { ConfigError } from '../../schemas/config/error.js'
import { Refusal } from '../../schemas/errors.js'
import { ListenError } from '../net/listener.js'
import { StoreError } from '../store/changes.js'
import { printError } from './output.js'

/** An expected failure of a command; only the message is printed. */
export class CommandError extends Error {}

const EXPECTED = [CommandError, ConfigError, ListenError, Refusal, StoreError] as const

/** A closed pipe is no failure, as in `topictalk user list | head`. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
}

export function reportFailure(error: unknown): void {
  process.exitCode = 1
  if (!(error instanceof Error) || !EXPECTED.some((kind) => error instanceof kind)) {
    console.error('topictalk: this is a bug in TopicTalk:')
    console.error(error)
    return
  }
  for (const line of error.message.split('\n')) printError(`topictalk: ${line}`)
}
