import type { DisconnectPacket } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { ConnectedClient } from './connected-client.js'

/**
 * DISCONNECT [MQTT-3.14]: the will is discarded [MQTT-3.14.4-3], unless the reason code of MQTT 5 is another than success
 * [MQTT5-3.14.4-3, MQTT5-3.1.2-10].
 */
export function disconnect(client: ConnectedClient, { reason, properties }: DisconnectPacket): void {
  if (properties.sessionExpiry !== undefined) changeExpiry(client, properties.sessionExpiry)
  if (reason === Reason.success) client.will = null
  const why = reason < 0x80 ? 'the client disconnected' : `the client disconnected, reason code ${reason}`
  void client.finish({ reason: Reason.success, why })
}

/** A session expiry of 0 in CONNECT cannot be raised in DISCONNECT [MQTT5-3.14.2.2.2]. */
function changeExpiry({ record, services }: ConnectedClient, seconds: number): void {
  if (record.expiry === 0 && seconds > 0)
    throw new ProtocolError(Reason.protocolError, 'session expiry set on DISCONNECT after 0 on CONNECT')
  record.expiry = Math.min(seconds, services.limits.sessionExpiry)
}
