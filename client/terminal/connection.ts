/** The connection of the terminal chat: MQTT.js over TCP, TLS or WebSocket. */
import { connect, type MqttClient } from 'mqtt'

export interface ConnectionOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  url: string
  user: string
  /** Password or token. */
  password: string
  /** PEM: over TLS, the authority of the broker's certificate. */
  ca?: Buffer
}

/** The first connection must succeed; later ones are retried without limit. */
export function open({ url, user, password, ca }: ConnectionOptions): Promise<MqttClient> {
  const client = connect(url, {
    protocolVersion: 4,
    clientId: `chat-${crypto.randomUUID()}`,
    username: user,
    password,
    clean: true,
    resubscribe: false,
    reconnectPeriod: 1000,
    reconnectOnConnackError: true,
    connectTimeout: 10_000,
    ...(ca ? { ca } : {}),
  })
  client.on('error', () => {})
  return new Promise((resolve, reject) => {
    const failed = (error?: Error) => {
      client.end(true)
      reject(new Error(`cannot connect to ${url}: ${error ? reason(error) : 'the connection was closed'}`))
    }
    client.once('error', failed).once('close', failed)
    client.once('connect', () => {
      client.off('error', failed).off('close', failed)
      resolve(client)
    })
  })
}

/** The error in words. */
export function reason(error: Error): string {
  const { code } = error as { code?: unknown }
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  // One error per address that was tried has no message of its own.
  return error.message || String(code)
}
