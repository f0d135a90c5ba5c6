/** Commands over MQTT: `{"id":"r1",…}` on `users/{me}/requests/{method}`, answered on `users/{me}/replies`. */
import { MAX_REQUEST_ID } from '../../../schemas/commands.js'
import { asRefusal, Refusal } from '../../../schemas/errors.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { readObject } from '../model/message.js'
import type { Publication } from '../model/publication.js'
import type { Replies } from '../model/replies.js'
import { caughtUp } from '../model/up-to-date.js'
import type { Commands } from './table.js'

export class Requests {
  readonly #store: Pick<Store, 'catchUp'>
  readonly #commands: Commands
  readonly #replies: Replies
  readonly #failed: (error: unknown) => void

  constructor(store: Pick<Store, 'catchUp'>, commands: Commands, replies: Replies, failed: (error: unknown) => void) {
    this.#store = store
    this.#commands = commands
    this.#replies = replies
    this.#failed = failed
  }

  /**
   * Always publishes a reply; never rejects. Whatever is answered is up to date, not only refusals: also that there is nothing, or nothing to do.
   */
  async handle(client: Actor, method: string, { payload, answer }: Publication): Promise<void> {
    let id: string | number | null = null
    try {
      const { id: requestId, ...params } = readRequest(payload)
      id = checkId(requestId)
      await caughtUp(this.#store, client)
      const actor = withAnswer(client, answer)
      this.#replies.ok(actor, id, method, await this.#commands.run(actor, method, params))
    } catch (error) {
      const refusal = asRefusal(error)
      if (refusal.code === 'internal') this.#failed(error)
      this.#replies.refused(withAnswer(client, answer), id, method, refusal)
    }
  }
}

function withAnswer(actor: Actor, answer: Publication['answer']): Actor {
  return answer ? { ...actor, answer } : actor
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
