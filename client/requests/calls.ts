/** Requests to the broker, over any transport. */
import type { CommandName, CommandParams, CommandResult } from '../../schemas/commands.js'
import type { PlatformSignal } from '../base/platform.js'

export interface CallOptions {
  /** When it is aborted, nobody waits any more. What was sent by then may still be carried out. */
  readonly signal?: PlatformSignal
  /** Ms to wait for the answer. */
  readonly timeout?: number
}

/** Unless the caller, or who made the transport, says otherwise. */
export const CALL_TIMEOUT = 10_000

/**
 * Sends one request. Rejects with a `ChatError`: what the broker refused, or `timeout`, `offline`, `aborted`. After these three the request may
 * have been carried out.
 */
export type Call = <N extends CommandName>(
  name: N,
  params: CommandParams<N>,
  options?: CallOptions,
) => Promise<CommandResult<N>>
