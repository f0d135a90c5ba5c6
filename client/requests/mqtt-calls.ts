/** Requests over an MQTT connection: published to `users/{me}/requests/…`, answered on `users/{me}/replies`. */
import { topics } from '../../schemas/topics.js'
import { ChatError } from '../base/chat-error.js'
import { messageOf } from '../wire/wire.js'
import { CALL_TIMEOUT, type Call } from './calls.js'
import { Replies } from './replies.js'
import { timer } from './timer.js'

/** The part of a connection that is used: a client of MQTT.js has it, and an adapter for another library can. */
export interface MqttConnection {
  on(event: 'message', listener: (topic: string, payload: { toString(): string }) => void): unknown
  on(event: 'close', listener: () => void): unknown
  subscribeAsync(filter: string, options: { qos: 1 }): Promise<unknown>
  publishAsync(topic: string, payload: string, options: { qos: 1 }): Promise<unknown>
}

export interface MqttOptions {
  client: MqttConnection
  /** The user that the client is logged in as. */
  user: string
  /** Ms to wait for a reply. */
  timeout?: number
}

/** Rejects with `offline` also if the connection is lost before the reply arrives. */
export function mqttCalls({ client, user, timeout: usual = CALL_TIMEOUT }: MqttOptions): Call {
  const topic = topics.user(user, 'replies')
  const replies = new Replies({ timer })
  /** The subscription to replies on the present connection. */
  let listening: Promise<unknown> | null = null
  client.on('message', (from, payload) => {
    if (from === topic && replies.areAwaited) replies.take(payload.toString())
  })
  client.on('close', () => {
    listening = null
    replies.lost()
  })
  return async (name, params, { signal, timeout = usual } = {}) => {
    const send = async (id: string): Promise<void> => {
      try {
        listening ??= client.subscribeAsync(topic, { qos: 1 })
        await listening
        await client.publishAsync(topics.request(user, name), JSON.stringify({ id, ...params }), { qos: 1 })
      } catch (cause) {
        throw new ChatError('offline', messageOf(cause), { cause })
      }
    }
    return (await replies.ask(name, { ...(signal && { signal }), timeout }, send)) as never
  }
}
