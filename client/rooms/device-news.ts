/** What a device of the user says, or one that is shared with the user. */
import { topics } from '../../schemas/topics.js'
import type { Stop } from '../base/platform.js'
import type { WithCore } from './core.js'

export interface DeviceNews {
  /** The levels below the device: `state`, `telemetry/temperature`, or others of its own. */
  readonly topic: string
  /** Made from JSON; where it is none, the text. */
  readonly value: unknown
}

/**
 * Calls `listener` with what the device says from now on, first with what it has retained, such as its state; with null if the user may not follow
 * it. After a lost connection it goes on, with what is retained: what was said meanwhile is not told. Returns a function that ends it. A device is
 * followed by one listener: the last one.
 */
export function followDevice(chat: WithCore, device: string, listener: (news: DeviceNews | null) => void): Stop {
  const topicOf = (rest: string): string => topics.device(device, rest)
  return chat.core.subscriptions.follow(topicOf('#'), (text, topic) =>
    listener(text === null ? null : { topic: topic.slice(topicOf('').length), value: parsed(text) }),
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
