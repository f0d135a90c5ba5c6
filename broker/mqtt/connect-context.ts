/** A CONNECT under way: what its steps work on. */
import type { Principal } from '../auth/principal.js'
import type { SavedSession } from '../store/sessions.js'
import type { Auth, Connect } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import type { ClientConnection, ConnectedClient } from './connected-client.js'
import type { Outbox } from './outbox.js'

/** What the steps need of a connection. */
export interface ConnectingConnection extends ClientConnection {
  clean: boolean
  readonly output: Outbox
  /** Largest packet the client takes, in bytes. */
  readonly maxPacket: number
  /** Its session is open: from here on it is a client. */
  opened(client: ConnectedClient): void
  /** All is done. `keepAlive`: seconds it may be silent. */
  accepted(client: ConnectedClient, keepAlive: number): void
}

export class ConnectContext {
  readonly connection: ConnectingConnection
  /** As hooks and AUTH left it. */
  packet: Connect
  /** The client was asked for its token with AUTH [MQTT5-4.12]: takes what it answers. */
  exchange: ((answer: Auth) => void) | null = null
  clientId = ''
  /** It has a place among the logins under way. */
  admitted = false
  /** Changes of rights that the registry had seen when the login was checked. */
  changes = 0
  /** Of the CONNACK. */
  properties: Properties = {}
  hasStoredWill = false
  /** The session of before; null: there is none, or it was discarded. */
  saved: SavedSession | null = null
  client: ConnectedClient | null = null
  #principal: Principal | null = null

  constructor(connection: ConnectingConnection, packet: Connect) {
    this.connection = connection
    this.packet = packet
  }

  /** Who the client is: known from the step that authenticates it. */
  get principal(): Principal {
    if (!this.#principal) throw new Error('the client is not authenticated yet')
    return this.#principal
  }

  set principal(principal: Principal) {
    this.#principal = principal
  }
}
