/** Requests over an MQTT connection: published to `users/{me}/requests/…`, answered on `users/{me}/replies`. */
import type { ErrorBody } from '../schemas/errors.js'
import { topics } from '../schemas/topics.js'
import { type Call, CallError } from './calls.js'
import { requestIds } from './request-ids.js'

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
  /** ms to wait for a reply. */
  timeout?: number
}

type Reply = { re: string; ok: true; result: unknown } | { re: string; ok: false; error: ErrorBody }

/** Rejects with a `CallError`, also if the connection is lost before the reply arrives. */
export function mqttCalls({ client, user, timeout = 10_000 }: MqttOptions): Call {
  const replies = topics.user(user, 'replies')
  const nextId = requestIds()
  const waiting = new Map<string, (reply: Reply) => void>()
  /** The subscription to replies on the present connection. */
  let listening: Promise<unknown> | null = null
  client.on('message', (topic, payload) => {
    if (topic !== replies || waiting.size === 0) return
    const reply = JSON.parse(payload.toString()) as Reply
    waiting.get(reply.re)?.(reply)
  })
  client.on('close', () => {
    listening = null
    for (const [re, done] of waiting) done(unanswered(re, 'the connection was lost'))
  })
  const ask = (name: string, params: object): Promise<Reply> => {
    const id = nextId()
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(unanswered(id, 'no answer')), timeout)
      const done = (reply: Reply): void => {
        clearTimeout(timer)
        waiting.delete(id)
        resolve(reply)
      }
      waiting.set(id, done)
      const failed = (error: Error): void => done(unanswered(id, error.message))
      listening ??= client.subscribeAsync(replies, { qos: 1 })
      listening
        .then(() => client.publishAsync(topics.request(user, name), JSON.stringify({ id, ...params }), { qos: 1 }))
        .catch(failed)
    })
  }
  return async (name, params) => {
    const reply = await ask(name, params)
    if (!reply.ok) throw new CallError(reply.error)
    return reply.result as never
  }
}

function unanswered(re: string, message: string): Reply {
  return { re, ok: false, error: { code: 'unavailable', message } }
}
