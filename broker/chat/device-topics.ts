/**
 * What is published below `devices/`. On topics of a registered device commands and receipts have a form; all else there is plain MQTT,
 * for the device itself and whoever `acl.rules` allow.
 */
import { Compile } from 'typebox/compile'
import { DeviceCommandInput } from '../../schemas/commands/devices.js'
import { object } from '../../schemas/commands/parts.js'
import { Refusal } from '../../schemas/errors.js'
import type { Topic } from '../../schemas/topics.js'
import { commit } from '../store/commit.js'
import type { Store } from '../store/store.js'
import type { Actor } from './actor.js'
import type { Bridges } from './bridges.js'
import type { AskedOfDevice, DeviceCommands } from './device-commands.js'
import type { DeviceRules } from './device-rules.js'
import { readObject } from './message.js'
import type { Incoming, Receipt } from './pipeline.js'
import type { Plain } from './plain.js'
import type { Replies } from './replies.js'
import { acceptSend } from './send.js'
import { checkShape } from './shape.js'

const commandShape = Compile(object(DeviceCommandInput))

export type DeviceTopic = Topic & { kind: 'device' }

export interface DeviceTopicsParts {
  readonly store: Store
  readonly rules: DeviceRules
  readonly commands: DeviceCommands
  readonly bridges: Bridges
  readonly plain: Plain
  readonly replies: Replies
}

export class DeviceTopics {
  readonly #parts: DeviceTopicsParts

  constructor(parts: DeviceTopicsParts) {
    this.#parts = parts
  }

  publish(actor: Actor, topic: DeviceTopic, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    const { store, rules, plain } = this.#parts
    const { user, anonymous } = actor.principal
    const { user: device, rest } = topic
    if (anonymous || !store.directory.devices.get(device)) return plain.publish(actor, topic, incoming, receipt)
    if (rest === 'receipts' && user === device) return this.#receipt(actor, incoming, receipt)
    if (rest === 'commands' && rules.may(user, device)) return this.#ask(actor, device, incoming, receipt)
    const bridged = user === device ? this.#parts.bridges.drafts(actor, rest, incoming) : null
    if (!bridged) return plain.publish(actor, topic, incoming, receipt)
    // A copy: a screen may take its time, and the payload is a view of a read buffer.
    const kept = { ...incoming, payload: Buffer.from(incoming.payload) }
    return bridged.then((drafts) => plain.publish(actor, topic, kept, receipt, drafts))
  }

  /** `{"name":…,"params":…,"ttl":…}` by who may control the device: the same as `devices.command`. */
  async #ask(actor: Actor, device: string, incoming: Incoming, receipt: Receipt): Promise<void> {
    if (incoming.retain)
      throw new Refusal('bad_request', 'a command waits for its device by itself; publish it without RETAIN')
    const asked = readObject(incoming.payload)
    if (!asked) throw new Refusal('bad_request', 'expected {"name":…}')
    checkShape(commandShape, asked)
    const { record, seq } = await this.#parts.commands.ask(
      actor,
      device,
      asked as unknown as AskedOfDevice,
      incoming.ops,
    )
    const result = { id: record.id, room: incoming.topic, seq, ts: record.at }
    acceptSend(this.#parts.replies, actor, (asked['cid'] as string | undefined) ?? null, result)
    receipt.settled(null, result)
  }

  async #receipt(actor: Actor, incoming: Incoming, receipt: Receipt): Promise<void> {
    await this.#parts.commands.receipt(actor, incoming.payload, incoming.ops)
    // In its turn: acks leave in the order of the publishes.
    await commit(this.#parts.store, {})
    receipt.settled(null, null)
  }
}
