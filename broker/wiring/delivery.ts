/** Where signals become deliveries to those who are connected here. */
import { topics } from '../../schemas/topics.js'
import type { Signal } from '../chat/model/signals.js'
import { ANY_PRESENCE } from '../chat/model/views.js'
import type { Presence } from '../chat/presence/presence.js'
import type { Receipts } from '../chat/presence/receipts.js'
import type { Typing } from '../chat/presence/typing.js'
import type { Streams } from '../http/streams.js'
import { type Endpoint, type Hub, unlogged } from '../hub.js'
import type { Registry } from '../mqtt/registry.js'
import type { Bus } from '../store/bus.js'

export interface DeliveryDeps {
  hub: Hub
  registry: Registry
  streams: Pick<Streams, 'logout'>
  bus: Pick<Bus<Signal>, 'send'>
  presence: Presence
  receipts: Receipts
  typing: Pick<Typing, 'heard'>
  failed: (error: unknown) => void
}

export class Delivery {
  readonly #deps: DeliveryDeps

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
  }

  on(signal: Signal): void {
    const { hub, registry, streams, failed } = this.#deps
    switch (signal.kind) {
      case 'ephemeral':
        return hub.send(
          unlogged(signal.topic, signal.payload, signal.qos),
          signal.only === undefined ? undefined : (endpoint) => endpoint.user === signal.only,
        )
      case 'typing':
        return this.#deps.typing.heard(signal.room, signal.user, signal.typing)
      case 'plain':
        return hub.publishPlain(signal.message, signal.queued.length > 0 ? new Set(signal.queued) : null, signal.number)
      case 'reply':
        return this.#reply(signal)
      case 'presence':
      case 'presenceHidden':
        return this.#presence(signal)
      case 'sessionEnding':
        streams.logout(signal.ending)
        registry.endLive(signal.ending).catch(failed)
        return
      case 'receipt':
        return this.#receipt(signal)
    }
  }

  /** The user's other sessions may be connected to any node. */
  #reply(reply: Signal & { kind: 'reply' }): void {
    const { registry, bus } = this.#deps
    if (reply.sessionId === null) registry.replyToAll(reply)
    else if (!registry.reply(reply)) bus.send({ ...reply, sessionId: null })
  }

  /** To those it is for, whether they named the user or asked for everyone; once each. */
  #presence(signal: Signal & { kind: 'presence' | 'presenceHidden' }): void {
    const { hub } = this.#deps
    const message = unlogged(topics.user(signal.user, 'presence'), signal.payload, 1, {
      revealsNothing: signal.kind === 'presenceHidden',
    })
    const concerns = (endpoint: Endpoint): boolean => this.#concerns(signal, endpoint.user)
    hub.send(message, concerns)
    hub.send(message, (endpoint) => !hub.isListening(message.topic, endpoint) && concerns(endpoint), ANY_PRESENCE)
  }

  #concerns({ kind, user, only }: Signal & { kind: 'presence' | 'presenceHidden' }, watcher: string): boolean {
    const { presence } = this.#deps
    if (only !== undefined && only !== watcher) return false
    if (kind === 'presence') return presence.audience.visible(user, watcher)
    return (
      !presence.audience.visible(user, watcher) && (only === watcher || presence.audience.isAcquainted(watcher, user))
    )
  }

  #receipt(signal: Signal & { kind: 'receipt' }): void {
    const { hub, receipts } = this.#deps
    if (receipts.isPassed(signal)) return
    const { room, user, payload } = signal
    hub.send(unlogged(topics.room(room, 'receipts'), payload, 0), (endpoint) =>
      receipts.maySee(room, user, endpoint.user),
    )
  }
}
