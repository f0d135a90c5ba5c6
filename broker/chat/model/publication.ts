import type { Refusal } from '../../../schemas/errors.js'
import type { Extra } from '../../store/logs.js'
import type { Op } from '../../store/op.js'
import type { QoS } from '../../store/qos.js'
import type { AnswerTo } from './actor.js'
import type { SendResult } from './replies.js'

/** What was published. */
export interface Publication {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  /** Writes that must be durable with it: the packet id of a QoS 2 publish. */
  readonly ops: readonly Op[]
  /** Whether it joins a public room; a will never does. */
  readonly joins: boolean
  /** What an MQTT 5 publisher added, to be passed on. */
  readonly extra?: Extra | null
  /** Where an MQTT 5 request wants its reply, and how it knows it. */
  readonly answer?: AnswerTo | null
}

/** Who published. Hears once, in the order of the publishes of one connection, what became of it. */
export interface Publisher {
  settled(refusal: Refusal | null, result: SendResult | null): void
  /** The sender is above the rate: nothing more is to be taken from it for so many ms. Absent: it is refused instead. */
  rest?(ms: number): void
}
