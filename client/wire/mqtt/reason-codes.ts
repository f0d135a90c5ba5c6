/** Reason codes of MQTT 5 that the client sends, or acts on [MQTT5-2.4]. */
export const Reason = {
  success: 0x00,
  reAuthenticate: 0x19,
  /** From here on it is a refusal. */
  unspecified: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecific: 0x83,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
} as const

/** The name of a reason code in the specification, for error messages. */
const NAMES: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client identifier not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  141: 'keep alive timeout',
  142: 'session taken over',
  147: 'receive maximum exceeded',
  149: 'packet too large',
  151: 'quota exceeded',
  152: 'administrative action',
  156: 'use another server',
  157: 'server moved',
  159: 'connection rate exceeded',
}

export function reasonName(reason: number): string {
  return NAMES[reason] ?? `reason code ${reason}`
}
