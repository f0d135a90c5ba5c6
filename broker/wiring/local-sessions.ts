import type { RenewLogin } from '../chat/commands/auth.js'
import type { LiveSession } from '../chat/commands/sessions.js'
import type { PublishGate } from '../chat/model/publish-gate.js'
import type { ConnectedSessions } from '../chat/wiring/shared.js'
import type { Streams } from '../http/streams.js'
import { refreshLogin } from '../mqtt/renewal.js'
import type { Mqtt } from './mqtt.js'

/**
 * The sessions that are connected here, over MQTT and as event streams over HTTP, as chat asks for them. Chat is made before both, because they
 * need it; `attach` adds them before the first client is accepted.
 */
export class LocalSessions implements ConnectedSessions {
  #mqtt!: Pick<Mqtt, 'broker' | 'registry'>
  #streams!: Streams

  attach(mqtt: Pick<Mqtt, 'broker' | 'registry'>, streams: Streams): void {
    this.#mqtt = mqtt
    this.#streams = streams
  }

  readonly gate: PublishGate = (actor, message) => this.#mqtt.broker.gates.publishFor(null, actor, message)

  readonly renewLogin: RenewLogin = ({ sessionId }, token) =>
    refreshLogin(this.#mqtt.broker.clients[sessionId ?? '']?.client ?? null, token)

  readonly liveSessions = (user: string): LiveSession[] =>
    this.#mqtt.registry.of(user).map((client) => client.describe())

  readonly followedBy = (user: string): number => this.#mqtt.registry.followedBy(user)

  readonly endSessions = async (user: string): Promise<void> => {
    const logout = { kind: 'logout', user, deleteState: true, afterAcks: true } as const
    this.#streams.logout(logout)
    await this.#mqtt.registry.logout(logout)
  }

  /** Other rules count: what live sessions were granted is checked anew. */
  rulesChanged(): Promise<void> {
    this.#streams.rulesChanged()
    return this.#mqtt.registry.rulesChanged()
  }
}
