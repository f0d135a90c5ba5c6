import mqtt, { type IClientOptions } from 'mqtt'
import type { TestBroker } from './broker.js'

/** The return code of a CONNECT: 0 if it is accepted, -1 if there is no answer. */
export async function knock(
  broker: TestBroker,
  username?: string,
  password?: string,
  options: IClientOptions & { url?: string } = {},
): Promise<number> {
  const { url = broker.mqttUrl, ...more } = options
  const given = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) }
  const client = mqtt.connect(url, { ...given, reconnectPeriod: 0, protocolVersion: 4, ...more })
  const code = await new Promise<number>((resolve) => {
    client.once('error', ({ code }: Error & { code?: unknown }) => resolve(typeof code === 'number' ? code : -1))
    client.once('close', () => resolve(-1))
    client.once('connect', () => resolve(0))
  })
  // Not awaited, because a connection that is already closed emits no further event.
  client.end(true)
  return code
}
