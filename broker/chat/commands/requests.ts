/** Commands over MQTT: `{"id":"r1",…}` on `users/{me}/requests/{method}`, answered on `users/{me}/replies`. */
import { MAX_REQUEST_ID } from '../../../schemas/commands.js'
import { asRefusal, Refusal } from '../../../schemas/errors.js'
import type { Actor } from '../model/actor.js'
import { readObject } from '../model/message.js'
import type { Replies } from '../model/replies.js'
import type { Commands } from './table.js'

export class Requests {
  readonly #commands: Commands
  readonly #replies: Replies
  readonly #failed: (error: unknown) => void

  constructor(commands: Commands, replies: Replies, failed: (error: unknown) => void) {
    this.#commands = commands
    this.#replies = replies
    this.#failed = failed
  }

  /** Always publishes a reply; never rejects. */
  async handle(actor: Actor, method: string, payload: Buffer): Promise<void> {
    let id: string | number | null = null
    try {
      const { id: requestId, ...params } = readRequest(payload)
      id = checkId(requestId)
      this.#replies.ok(actor, id, method, await this.#commands.run(actor, method, params))
    } catch (error) {
      const refusal = asRefusal(error)
      if (refusal.code === 'internal') this.#failed(error)
      this.#replies.refused(actor, id, method, refusal)
    }
  }
}

function readRequest(payload: Buffer): Record<string, unknown> {
  const request = readObject(payload)
  if (!request) throw new Refusal('bad_request', 'a request is a JSON object: {"id":"r1",…}')
  return request
}

function checkId(id: unknown): string | number | null {
  if (id === undefined || id === null) return null
  if (typeof id === 'number' || (typeof id === 'string' && id.length <= MAX_REQUEST_ID)) return id
  throw new Refusal('bad_request', `id must be a number or a string of at most ${MAX_REQUEST_ID} characters`, {
    field: 'id',
  })
}
