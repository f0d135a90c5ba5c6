/** Where signals become deliveries: the wiring between what chat says and who is connected here. */
import { topics } from '../schemas/topics.js'
import type { Presence } from './chat/presence.js'
import type { RoomInfo } from './chat/room-info.js'
import type { Signal } from './chat/signals.js'
import { ANY_PRESENCE, type Views } from './chat/views.js'
import type { Streams } from './http/streams.js'
import { direct, type Hub } from './hub.js'
import type { Registry } from './mqtt/registry.js'

export interface DeliveryParts {
  hub: Hub
  registry: Registry
  streams: Streams
  views: Views
  presence: Presence
  info: RoomInfo
  failed: (error: unknown) => void
}

export class Delivery {
  readonly #parts: DeliveryParts

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  on(signal: Signal): void {
    const { hub, registry, streams, views, info, failed } = this.#parts
    switch (signal.kind) {
      case 'moment':
        return hub.send(
          direct(signal.topic, signal.payload, signal.qos),
          signal.only === undefined ? undefined : (endpoint) => endpoint.user === signal.only,
        )
      case 'plain':
        return hub.publishPlain(signal.message, signal.queued.length > 0 ? new Set(signal.queued) : null, signal.number)
      case 'reply':
        return registry.reply(signal)
      case 'presence':
        return this.#presence(signal)
      case 'membership':
        registry.membership(signal)
        streams.membership(signal)
        return info.changed(signal.room)
      case 'channel':
        views.addChannel(signal.channel)
        registry.channel(signal)
        return streams.channel(signal)
      case 'logout':
        streams.logout(signal)
        registry.logout(signal).catch(failed)
    }
  }

  /** To those who may see it, whether they named the user or asked for everyone; once each. */
  #presence({ user, payload }: Signal & { kind: 'presence' }): void {
    const { hub, presence } = this.#parts
    const message = direct(topics.user(user, 'presence'), payload, 1)
    hub.send(message, (endpoint) => presence.visible(user, endpoint.user))
    hub.send(
      message,
      (endpoint) => !hub.isListening(message.topic, endpoint) && presence.visible(user, endpoint.user),
      ANY_PRESENCE,
    )
  }
}
