/** Announcements to all users, or to users with certain roles: logged like messages, sent by users with the role `publisher`. */

import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { announcedRoles, announcementPlace } from '../../../schemas/announcement.js'
import { Refusal } from '../../../schemas/errors.js'
import { topics } from '../../../schemas/topics.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import { retainOp } from '../../store/queue-ops.js'
import type { Store } from '../../store/store.js'
import { requireNoFiles } from '../files/attached-files.js'
import { Send } from '../messages/send.js'
import { type Actor, requireRole } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { type CheckedMessage, checkMessage, readObject, stringify } from '../model/message.js'
import { isChange } from '../model/message-types.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Replies } from '../model/replies.js'
import { dedupeOf, stamp } from '../model/stamp.js'
import { logs, type Views } from '../model/views.js'

/** Clears a retained message. */
const NOTHING = Buffer.alloc(0)

const rolesShape = Compile(Type.Object({ roles: announcedRoles }))

export class Announcements {
  readonly #store: Store
  readonly #views: Views
  readonly #replies: Replies

  constructor(store: Store, views: Views, replies: Replies) {
    this.#store = store
    this.#views = views
    this.#replies = replies
  }

  /** Publishes on `broadcast/{channel}`: a message with `channel` in place of `room`; with RETAIN it is also kept for later subscribers. */
  async publish(actor: Actor, channel: string, publication: Publication, publisher: Publisher): Promise<void> {
    requireRole(actor, 'publisher')
    if (publication.retain && publication.payload.length === 0) {
      await commit(publication.lane, { ops: [this.#clearOp(channel), ...publication.ops] })
      publisher.settled(null, null)
      return
    }
    const { roles, message } = readAnnouncement(publication.payload)
    if (isChange(message.input))
      throw new Refusal('bad_request', `an announcement cannot be changed; there is no ${message.input.type} here`, {
        field: 'type',
      })
    if (message.input?.forward)
      throw new Refusal('bad_request', 'an announcement says its own words', { field: 'forward' })
    requireNoFiles(message.input, 'an announcement')
    const destination = { log: logs.broadcast(channel), place: announcementPlace(channel, roles) }
    const stamped = stamp(actor, destination, message, publication)
    const { cid } = message
    // The same message to other roles is another message.
    const draft =
      cid === null || !roles ? stamped : { ...stamped, dedupe: dedupeOf(actor, cid, `${message.inside} ${roles}`) }
    const sending = { actor, room: topics.broadcast(channel), cid, draft, publisher }
    const ops = [...publication.ops, ...this.#opsOf(channel, publication)]
    publication.lane.commit(new Send(this.#replies, { ...sending, publication: { ...publication, ops } }))
  }

  /** The first announcement on a channel also records that there is the channel. One with RETAIN is retained as it is stored, with its number. */
  #opsOf(channel: string, { retain }: Publication): Op[] {
    const ops: Op[] = this.#views.isChannel(channel) ? [] : [this.#store.directory.channelOp(channel)]
    if (retain) ops.push({ type: 'retainEntry', topic: topics.broadcast(channel), draft: 0 })
    return ops
  }

  /** Deletes the retained announcement. */
  async clear(channel: string): Promise<void> {
    await commit(this.#store, { ops: [this.#clearOp(channel)] })
  }

  #clearOp(channel: string): Op {
    const cleared = {
      topic: topics.broadcast(channel),
      payload: NOTHING,
      qos: 1,
      retain: true,
      clientId: null,
    } as const
    return retainOp(cleared)
  }
}

/** Parses an announcement: a message, with the roles it is restricted to. */
function readAnnouncement(payload: Buffer): { roles: readonly string[] | undefined; message: CheckedMessage } {
  const object = readObject(payload)
  if (!object || !Object.hasOwn(object, 'roles')) return { roles: undefined, message: checkMessage(payload, false) }
  const { roles, ...rest } = object
  checkSchema(rolesShape, { roles })
  return { roles: roles as string[], message: checkMessage(Buffer.from(stringify(rest)), false) }
}
