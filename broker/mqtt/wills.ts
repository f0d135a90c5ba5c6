/** Wills: stored with their owner's rights while the client is connected, and while their delay runs [MQTT5-3.1.3.2.2]. */
import { ANONYMOUS } from '../../schemas/ids.js'
import type { Principal } from '../auth/principal.js'
import type { Extra } from '../store/logs.js'
import type { WillPacket } from '../store/persistence.js'
import type { QoS } from '../store/qos.js'
import type { SessionRecord } from '../store/sessions.js'
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

type When = { readonly [K in 'delay' | 'due' | 'deferred']?: NonNullable<WillPacket[K]> }

/** As in `WillPacket`. While the client is connected: its delay, if there is one; later when it is due. */
export function storedWill(will: Will, principal: Principal, when: When): WillPacket {
  const { topic, payload, qos, retain, properties } = will
  const { willDelay: _, ...given } = properties
  const { user, roles, ofAccount, account, login = null, issuedAt, expiresAt } = principal
  return {
    ...{ cmd: 'publish', topic, payload, qos, retain, willProperties: given },
    ...{ user, roles: [...roles], login, expiresAt },
    ...(ofAccount && { ofAccount }),
    ...(account && { account }),
    ...(issuedAt !== undefined && { issuedAt }),
    ...when,
  }
}

/** Seconds: no later than the end of the session [MQTT5-3.1.3-9]. */
export function delayOf({ properties }: Will, { expiry }: Pick<SessionRecord, 'expiry'>): number {
  return Math.min(properties.willDelay ?? 0, expiry)
}

/** Of a client that is connected: in case its broker ends without a word. */
export function willWhileConnected(
  will: Will,
  principal: Principal,
  session: Pick<SessionRecord, 'expiry'>,
): WillPacket {
  const delay = delayOf(will, session)
  return storedWill(will, principal, delay > 0 ? { delay } : {})
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
  readonly #due: number
  readonly #publish: () => void

  constructor(due: number, publish: () => void) {
    this.#due = due
    this.#publish = publish
  }

  start(wheel: TimerWheel): void {
    wheel.set(this, this.#due)
  }

  due(): number {
    this.#publish()
    return 0
  }
}
