/** The context of one CONNECT: what its steps read and fill in. */
import type { Principal } from '../auth/principal.js'
import { type Fence, type Writer, writerBehind } from '../store/fence.js'
import type { SavedSession } from '../store/sessions.js'
import type { AuthPacket, ConnectPacket } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import type { ClientConnection, ConnectedClient } from './connected-client.js'
import type { Claimant } from './shared/ownership.js'
import type { WriteBuffer } from './write-buffer.js'

/** What the steps need of a connection. */
export interface ConnectingConnection extends ClientConnection {
  sessionLost: Claimant['sessionLost']
  clean: boolean
  readonly output: WriteBuffer
  /** Largest packet the client takes, in bytes. */
  readonly maxPacket: number
  /** Its session is open. */
  opened(client: ConnectedClient): void
  /** CONNECT is done. `keepAlive`: seconds the client may be silent. */
  accepted(client: ConnectedClient, keepAlive: number): void
}

export class ConnectContext {
  readonly connection: ConnectingConnection
  /** As changed by hooks and AUTH. */
  packet: ConnectPacket
  /** The client was asked for its token with AUTH [MQTT5-4.12]: takes what it answers. */
  exchange: ((answer: AuthPacket) => void) | null = null
  clientId = ''
  /** It counts among the admitted logins. */
  admitted = false
  /** `registry.changes` when the login was checked. */
  changes = 0
  /** Of the CONNACK. */
  properties: Properties = {}
  hasStoredWill = false
  /** What is written of the session is written behind it. */
  fence: Fence | null = null
  /** The stored session; null: there is none, or it was discarded. */
  saved: SavedSession | null = null
  client: ConnectedClient | null = null
  #principal: Principal | null = null

  constructor(connection: ConnectingConnection, packet: ConnectPacket) {
    this.connection = connection
    this.packet = packet
  }

  /** For what is stored of the session. */
  get writer(): Writer {
    return writerBehind(this.connection.services.store, this.fence)
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
