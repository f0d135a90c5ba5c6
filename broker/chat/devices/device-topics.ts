/**
 * Publishes below `devices/`. Commands and receipts of registered devices have a defined form; all else is plain MQTT, for the device
 * itself and for users that `acl.rules` allow. A command or receipt holds back what its connection publishes next, and settles when what was
 * published before it has settled.
 */
import { Compile } from 'typebox/compile'
import { DeviceCommandInput } from '../../../schemas/commands/devices.js'
import { object } from '../../../schemas/commands/parts.js'
import { Refusal } from '../../../schemas/errors.js'
import type { Topic } from '../../../schemas/topics.js'
import type { Store } from '../../store/store.js'
import type { PlainTopics } from '../messages/plain-topics.js'
import { acceptSend } from '../messages/send.js'
import type { Actor } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { readObject } from '../model/message.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Replies } from '../model/replies.js'
import type { Bridges } from './bridges.js'
import type { DeviceCommandRequest, DeviceCommands } from './device-commands.js'
import type { DeviceRules } from './device-rules.js'

const commandShape = Compile(object(DeviceCommandInput))

export type DeviceTopic = Topic & { kind: 'device' }

export interface DeviceTopicsDeps {
  readonly store: Store
  readonly rules: DeviceRules
  readonly commands: DeviceCommands
  readonly bridges: Bridges
  readonly plainTopics: PlainTopics
  readonly replies: Replies
}

export class DeviceTopics {
  readonly #deps: DeviceTopicsDeps

  constructor(deps: DeviceTopicsDeps) {
    this.#deps = deps
  }

  publish(actor: Actor, topic: DeviceTopic, publication: Publication, publisher: Publisher): void | Promise<void> {
    const { store, rules, plainTopics } = this.#deps
    const { user, anonymous } = actor.principal
    const { user: device, rest } = topic
    if (anonymous || !store.directory.devices.get(device))
      return plainTopics.publish(actor, topic, publication, publisher)
    if (rest === 'receipts' && user === device) return this.#receipt(actor, publication, publisher)
    if (rest === 'commands' && rules.may(user, device)) return this.#command(actor, device, publication, publisher)
    const bridged = user === device ? this.#deps.bridges.drafts(actor, rest, publication) : null
    if (!bridged) return plainTopics.publish(actor, topic, publication, publisher)
    // A copy, because a screen may take time, and the payload is a view of a read buffer.
    const kept = { ...publication, payload: Buffer.from(publication.payload) }
    return bridged.then((drafts) => plainTopics.publish(actor, topic, kept, publisher, drafts))
  }

  /** `{"name":…,"params":…,"ttl":…}` of a user who may control the device: the same as `devices.command`. */
  async #command(actor: Actor, device: string, publication: Publication, publisher: Publisher): Promise<void> {
    if (publication.retain)
      throw new Refusal('bad_request', 'a command waits for its device by itself; publish it without RETAIN')
    const input = readObject(publication.payload)
    if (!input) throw new Refusal('bad_request', 'expected {"name":…}')
    checkSchema(commandShape, input)
    const { record, seq } = await this.#deps.commands.send(
      actor,
      device,
      input as unknown as DeviceCommandRequest,
      publication,
    )
    const result = { id: record.id, room: publication.topic, seq, ts: record.at }
    await publication.lane.idle()
    acceptSend(this.#deps.replies, actor, (input['cid'] as string | undefined) ?? null, result)
    publisher.settled(null, result)
  }

  async #receipt(actor: Actor, publication: Publication, publisher: Publisher): Promise<void> {
    await this.#deps.commands.receipt(actor, publication.payload, publication)
    await publication.lane.idle()
    publisher.settled(null, null)
  }
}
