/** Commands to the device: each is handled once, and answered with a receipt. */
import { ChatError } from '../base/chat-error.js'
import type { PlatformSignal, Stop } from '../base/platform.js'
import { messageOf } from '../wire/wire.js'

export interface Command {
  /** A command that comes twice has the same one. */
  readonly id: string
  readonly name: string
  /** Any JSON; absent: none were given. */
  readonly params?: unknown
}

/**
 * Does what is asked. What it returns, or resolves with, is the `result` that is told to who asked; of what it throws the message is. `signal`
 * is aborted when the device is closed.
 */
export type CommandHandler = (params: unknown, command: Command & { readonly signal: PlatformSignal }) => unknown

interface Receipt {
  readonly id: string
  readonly ok: boolean
  readonly result?: unknown
  readonly error?: string
}

/** Commands that are under way: the broker has no more of one device. */
const MOST = 100
/** Of commands that are done the receipts that are kept, for those that come twice. */
const REMEMBERED = 1000
/** Characters of an error, as the broker takes them. */
const ERROR_LENGTH = 1024

export class Commands {
  readonly #signal: PlatformSignal
  readonly #receipt: (receipt: Receipt) => void
  readonly #handlers = new Map<string, CommandHandler>()
  /** By name, the last one: those of one name are done one after the other. */
  readonly #last = new Map<string, Promise<void>>()
  /** By id, the oldest first; null: it is under way. */
  readonly #known = new Map<string, Receipt | null>()
  #open = 0

  /** `receipt`: sends one, until the broker has it. */
  constructor(signal: PlatformSignal, receipt: (receipt: Receipt) => void) {
    this.#signal = signal
    this.#receipt = receipt
  }

  /** @throws ChatError `conflict`: the name has a handler already */
  handle(name: string, handler: CommandHandler): Stop {
    if (this.#handlers.has(name)) throw new ChatError('conflict', `${name} has a handler already`, { field: 'name' })
    this.#handlers.set(name, handler)
    return () => {
      if (this.#handlers.get(name) === handler) this.#handlers.delete(name)
    }
  }

  take(command: Command): void {
    const { id, name } = command
    const known = this.#known.get(id)
    if (known !== undefined) {
      // The broker has not got the receipt, or the command was on its way twice.
      if (known) this.#receipt(known)
      return
    }
    this.#known.set(id, null)
    if (this.#open >= MOST) return this.#done({ id, ok: false, error: `${MOST} commands are under way` })
    this.#open++
    const run = (this.#last.get(name) ?? Promise.resolve()).then(async () => {
      this.#done(await this.#run(command))
      this.#open--
      if (this.#last.get(name) === run) this.#last.delete(name)
    })
    this.#last.set(name, run)
  }

  async #run(command: Command): Promise<Receipt> {
    const { id, name, params } = command
    try {
      const handler = this.#handlers.get(name)
      if (!handler) throw new ChatError('not_implemented', `this device knows no command ${name}`)
      const result = await handler(params, { ...command, signal: this.#signal })
      // What is no JSON fails here, and not when it is sent.
      const json = JSON.stringify(result) as string | undefined
      return { id, ok: true, ...(json !== undefined && { result: JSON.parse(json) as unknown }) }
    } catch (error) {
      return { id, ok: false, error: messageOf(error).slice(0, ERROR_LENGTH) }
    }
  }

  #done(receipt: Receipt): void {
    this.#known.set(receipt.id, receipt)
    for (const [id, one] of this.#known) {
      if (this.#known.size <= REMEMBERED) break
      if (one) this.#known.delete(id)
    }
    this.#receipt(receipt)
  }
}
