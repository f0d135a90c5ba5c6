import type { Actor } from '../model/actor.js'
import type { CheckedMessage } from '../model/message.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { SlowRoom } from './slow-mode.js'

/** A message on its way into a room. The pipeline makes it once and passes it from step to step. */
export interface Post {
  readonly actor: Actor
  readonly room: string
  readonly message: CheckedMessage
  /** Receiver of a direct message, or empty. */
  readonly to: string
  readonly publication: Publication
  readonly publisher: Publisher
  /** Set if the message counts in the room's slow mode. */
  readonly slow?: SlowRoom
}
