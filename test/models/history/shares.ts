/** Plain topics of which each message has one receiver, or each topic one message. */
import { groupBy, type History, type Job, ofType, type Sent } from './events.js'

/** A share group: each job to one member, once where it is sent at QoS 2. */
export function checkJobs(history: History): string[] {
  const jobs = groupBy(ofType(history, 'job'), ({ message }) => message)
  const sent = groupBy(
    ofType(history, 'sent').filter(({ use }) => use === 'job'),
    ({ message }) => message,
  )
  const acked = new Set(ofType(history, 'acked').map(({ message }) => message))
  const lost = [...sent].filter(([message, [first]]) => first!.qos > 0 && acked.has(message) && !jobs.has(message))
  return [
    ...lost.map(([message]) => `nobody has ${message}`),
    ...[...jobs].flatMap(([message, came]) => repeated(message, came, sent.get(message) ?? [])),
  ]
}

function repeated(message: string, came: readonly Job[], transmissions: readonly Sent[]): string[] {
  if (transmissions.length === 0) return [`${message} came, and nobody had sent it`]
  // At QoS 1 the group may give it to another member, when nobody knows whether the first one has it.
  const isOnce = came.every(({ qos }) => qos === 2)
  return isOnce && came.length > 1
    ? [`${message} came ${came.length} times: ${came.map(({ session }) => session)}`]
    : []
}

/** Each topic has one who publishes there: what is retained at the end is what that one published last. */
export function checkRetained(history: History): string[] {
  const states = groupBy(
    ofType(history, 'sent').filter(({ use }) => use === 'state'),
    ({ user }) => `state/${user}`,
  )
  return ofType(history, 'retained').flatMap(({ node, messages }) =>
    [...states].flatMap(([topic, sent]) => {
      const last = [...new Set(sent.map(({ message }) => message))].at(-1)
      return messages[topic] === last ? [] : [`${node} retains ${messages[topic]} on ${topic}, not ${last}`]
    }),
  )
}
