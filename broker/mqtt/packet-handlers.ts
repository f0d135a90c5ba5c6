/** Dispatches the packets of a connected client to their handlers. */
import { acknowledge } from './acknowledge.js'
import { PINGRESP } from './codec/encode.js'
import type { Packet } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import type { ConnectedClient } from './connected-client.js'
import { disconnect } from './disconnect.js'
import { reauthenticate } from './enhanced-authentication.js'
import { publish } from './publish.js'
import { subscribe, unsubscribe } from './subscribe.js'

/** A returned promise holds back the packets behind this one. */
export function handlePacket(client: ConnectedClient, packet: Packet): void | Promise<void> {
  switch (packet.type) {
    case 'publish':
      return publish(client, packet)
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return acknowledge(client, packet)
    case 'subscribe':
      return subscribe(client, packet)
    case 'unsubscribe':
      return unsubscribe(client, packet)
    case 'auth':
      return reauthenticate(client, packet)
    case 'pingreq':
      return answerPing(client)
    case 'disconnect':
      return disconnect(client, packet)
    case 'connect':
      throw new ProtocolError(Reason.protocolError, 'a second CONNECT [MQTT-3.1.0-2]')
  }
}

function answerPing({ connection, broker }: ConnectedClient): void {
  connection.send(PINGRESP)
  broker.emit('ping', { cmd: 'pingreq' }, connection)
}
