import { Reason } from './reason-codes.js'

/** The broker sent what MQTT 5 does not allow. The connection ends with `reason`. */
export class Malformed extends Error {
  readonly reason: number

  constructor(reason: number, message: string) {
    super(message)
    this.name = 'Malformed'
    this.reason = reason
  }
}

export function malformed(message: string): Malformed {
  return new Malformed(Reason.malformedPacket, message)
}

export function protocolError(message: string): Malformed {
  return new Malformed(Reason.protocolError, message)
}

export function packetTooLarge(message: string): Malformed {
  return new Malformed(Reason.packetTooLarge, message)
}
