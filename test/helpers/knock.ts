import mqtt, { type IClientOptions } from 'mqtt'
import type { TestBroker } from './broker.js'

/** The return code of a CONNECT: 0 when it is let in, -1 when it came to no answer. */
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
  // Not waited for: of a connection that has closed by now no more is heard.
  client.end(true)
  return code
}
