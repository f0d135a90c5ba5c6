/** Wills: stored with their owner's rights while the client is connected, and while their delay runs [MQTT5-3.1.3.2.2]. */
import { ANONYMOUS } from '../../schemas/ids.js'
import type { Principal } from '../auth/principal.js'
import type { Extra } from '../store/logs.js'
import type { Persistence, WillPacket } from '../store/persistence.js'
import type { QoS } from '../store/qos.js'
import type { Deadline, TimerWheel } from '../util/timer-wheel.js'
import type { Will } from './codec/packets.js'
import { keptProperties } from './message-properties.js'

/** A will as it is published. */
export interface WillMessage {
  topic: string
  payload: Buffer
  qos: QoS
  retain: boolean
  extra: Extra | null
}

/** The expiry interval begins when the will is published. */
export function willMessage({ topic, payload, qos, retain, properties }: Will): WillMessage {
  return { topic, payload, qos, retain, extra: keptProperties(topic, properties) }
}

/** `due` and `deferred` as in `WillPacket`, where the will is not published at the end of the connection. */
export function storedWill(will: Will, principal: Principal, later?: { due: number; deferred: boolean }): WillPacket {
  const { topic, payload, qos, retain, properties } = will
  const { willDelay: _, ...given } = properties
  const { user, roles, ofAccount, account, login = null, issuedAt, expiresAt } = principal
  return {
    ...{ cmd: 'publish', topic, payload, qos, retain, willProperties: given },
    ...{ user, roles: [...roles], login, expiresAt },
    ...(ofAccount && { ofAccount }),
    ...(account && { account }),
    ...(issuedAt !== undefined && { issuedAt }),
    ...(later && { due: later.due }),
    ...(later?.deferred && { deferred: true }),
  }
}

/** Ms after the expiry of a token within which a will that was due is still published: the timer wheel has a resolution. */
const LATE = 1000

/** The rights of a stored will. If it names no login, that is not checked. Null: its token has expired. */
export function principalOfWill(will: WillPacket, now: number): Principal | null {
  const { user = ANONYMOUS, roles, ofAccount, account, login = null, issuedAt = now, expiresAt = null } = will
  if (expiresAt !== null && now >= expiresAt + LATE) return null
  const given = { user, roles: new Set(roles), login, issuedAt, expiresAt, anonymous: user === ANONYMOUS }
  return { ...given, ...(ofAccount && { ofAccount }), ...(account && { account }) }
}

/** Unix ms: now, or the last moment the login was valid. A will that is due because a key expires must not be refused for that. */
export function lastMomentOf({ expiresAt }: Principal): number {
  return Math.min(Date.now(), (expiresAt ?? Number.POSITIVE_INFINITY) - 1)
}

export function fromStored(packet: WillPacket): WillMessage {
  const { topic = '', payload = '', qos = 0, retain = false, willProperties } = packet
  return willMessage({
    topic,
    payload: Buffer.from(payload),
    qos,
    retain,
    properties: (willProperties as Will['properties']) ?? {},
  })
}

/** A will whose delay runs. It is published when that is over, unless the client reconnected: then it is no longer stored. */
export class DelayedWill implements Deadline {
  readonly #id: string
  readonly #due: number
  readonly #persistence: Persistence
  readonly #send: (kept: WillPacket) => Promise<void>
  readonly #failed: (error: unknown) => void

  constructor(
    id: string,
    due: number,
    persistence: Persistence,
    send: (kept: WillPacket) => Promise<void>,
    failed: (error: unknown) => void,
  ) {
    this.#id = id
    this.#due = due
    this.#persistence = persistence
    this.#send = send
    this.#failed = failed
  }

  start(wheel: TimerWheel): void {
    wheel.set(this, this.#due)
  }

  due(): number {
    this.#sendIfKept().catch(this.#failed)
    return 0
  }

  async #sendIfKept(): Promise<void> {
    const kept = await this.#persistence.getWill({ id: this.#id })
    if (kept?.due !== this.#due) return
    await this.#persistence.delWill({ id: this.#id })
    await this.#send(kept)
  }
}
