/** How a command ends when it cannot do it: what can be expected is one line, a bug is a stack. */
// Not by way of the schema: what only prints its help loads none.
import { ConfigError } from '../../schemas/config/error.js'
import { Refusal } from '../../schemas/errors.js'
import { ListenError } from '../net/listener.js'
import { StoreError } from '../store/changes.js'
import { printError } from './output.js'

/** The command cannot be done as given; the message is all there is to say. */
export class CommandError extends Error {}

const EXPECTED = [CommandError, ConfigError, ListenError, Refusal, StoreError] as const

/** `topictalk user list | head` is no failure. */
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
