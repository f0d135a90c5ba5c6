import type { RenewLogin } from '../chat/commands/auth.js'
import type { LiveSession } from '../chat/commands/sessions.js'
import type { Actor } from '../chat/model/actor.js'
import type { PublishGate } from '../chat/model/publish-gate.js'
import type { EndSessions, SessionEnding } from '../chat/model/session-endings.js'
import type { Signal } from '../chat/model/signals.js'
import type { ConnectedSessions } from '../chat/wiring/shared.js'
import type { Streams } from '../http/streams.js'
import type { ConnectedClient } from '../mqtt/connected-client.js'
import { keepLogin, refreshLogin } from '../mqtt/renewal.js'
import type { Bus } from '../store/bus.js'
import type { AccountVersion } from '../store/users.js'
import type { Mqtt } from './mqtt.js'

/**
 * The sessions that are connected here, over MQTT and as event streams over HTTP, as chat asks for them. Chat is made before both, because they
 * need it; `attach` adds them before the first client is accepted.
 */
export class LocalSessions implements ConnectedSessions {
  #mqtt!: Pick<Mqtt, 'broker' | 'registry'>
  #streams!: Streams
  readonly #bus: Pick<Bus<Signal>, 'sendElsewhere'>
  readonly #failed: (error: unknown) => void

  constructor(bus: Pick<Bus<Signal>, 'sendElsewhere'>, failed: (error: unknown) => void) {
    this.#bus = bus
    this.#failed = failed
  }

  attach(mqtt: Pick<Mqtt, 'broker' | 'registry'>, streams: Streams): void {
    this.#mqtt = mqtt
    this.#streams = streams
  }

  readonly gate: PublishGate = (actor, message) => this.#mqtt.broker.gates.publishFor(null, actor, message)

  readonly renewLogin: RenewLogin = ({ sessionId }, token) => refreshLogin(this.#clientOf(sessionId), token)

  readonly keepLogin = async ({ sessionId }: Actor, account: AccountVersion, login: string): Promise<void> => {
    const client = this.#clientOf(sessionId)
    if (client) await keepLogin(client, account, login)
  }

  readonly liveSessions = (user: string): LiveSession[] =>
    this.#mqtt.registry.of(user).map((client) => client.describe())

  readonly followedBy = (user: string): number => this.#mqtt.registry.followedBy(user)

  readonly endSessions = async (ending: SessionEnding): Promise<void> => {
    // At once, and with the reason. If it is lost, the node of a single session hears that it is wanted here. Of all others, those end whose login
    // is over, or whose stored state is deleted; a stream or a clean session without a login of this broker stays.
    if (ending.session !== undefined || ending.others) this.#bus.sendElsewhere({ kind: 'sessionEnding', ending })
    this.#streams.logout(ending)
    await this.#mqtt.registry.logout(ending)
  }

  readonly end: EndSessions = (ending) => void this.endSessions(ending).catch(this.#failed)

  #clientOf(sessionId: string | null): ConnectedClient | null {
    return this.#mqtt.broker.clients[sessionId ?? '']?.client ?? null
  }

  /** Other rules count: what live sessions were granted is checked anew. */
  rulesChanged(): Promise<void> {
    this.#streams.rulesChanged()
    return this.#mqtt.registry.rulesChanged()
  }
}
