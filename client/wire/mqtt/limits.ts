/** Bounds of one connection. What the broker allows less of is bounded by that. */
export interface MqttLimits {
  /** Bytes of the longest packet that the broker may send; it leaves out longer messages [MQTT5-3.1.2.11.4]. */
  maxPacket: number
  /** Messages of QoS 1 that the broker may send before the first of them is acknowledged. */
  receiveMaximum: number
  /** Subscribes, unsubscribes and publishes of QoS 1 that await their answer. */
  requests: number
  /** Bytes that wait in the socket. */
  buffered: number
  /** Ms until the broker has answered the login. */
  openTimeout: number
  /** Seconds after which the broker closes a connection that is silent (one and a half times as many). */
  keepAlive: number
  /** Ms without a packet in either direction after which the broker is asked whether it is still there. */
  silence: number
  /** Ms in which it has to answer that. */
  pingTimeout: number
  /** Ms for which the end of a connection waits for the broker to close it, too. */
  closeTimeout: number
}

export const DEFAULT_LIMITS: Readonly<MqttLimits> = {
  maxPacket: 1024 * 1024,
  receiveMaximum: 128,
  requests: 256,
  buffered: 4 * 1024 * 1024,
  openTimeout: 20_000,
  // Timers of a hidden page run once a minute.
  keepAlive: 120,
  silence: 30_000,
  pingTimeout: 10_000,
  closeTimeout: 2000,
}
