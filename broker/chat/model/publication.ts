import { Refusal } from '../../../schemas/errors.js'
import type { Lane } from '../../store/lane.js'
import type { Extra } from '../../store/logs.js'
import type { Op } from '../../store/op.js'
import type { QoS } from '../../store/qos.js'
import type { AnswerTo } from './actor.js'
import type { SendResult } from './replies.js'

/** What is committed with what a publish comes to, behind the fence of its lane. */
export interface WrittenWith {
  readonly ops: readonly Op[]
  readonly lane: Pick<Lane, 'fence'>
}

/** A publish, from any transport. */
export interface Publication extends WrittenWith {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  /** Writes that must be committed with it: the packet id of a QoS 2 publish. */
  readonly ops: readonly Op[]
  /** Of its connection: what it commits, and its acknowledgement, come in order with the other publications of the lane. */
  readonly lane: Lane
  /** Whether it joins a public room; false for a will. */
  readonly joins: boolean
  /** MQTT 5 properties and expiry that the publisher set, passed on to receivers. */
  readonly extra?: Extra | null
  /** Response topic and correlation data of an MQTT 5 request. */
  readonly answer?: AnswerTo | null
}

/** The source of a publication. `settled` is called once per publication, in the order of its lane. */
export interface Publisher {
  settled(refusal: Refusal | null, result: SendResult | null): void
  /** Asks the source to stop reading for `ms`, because it exceeds its rate. Absent: the publication is refused instead. */
  pause?(ms: number): void
}

/** Whether the publish clears a retained message. */
export function clearsRetained({ retain, payload }: Pick<Publication, 'retain' | 'payload'>): boolean {
  return retain && payload.length === 0
}

/**
 * Limits the properties that are stored and forwarded, because they take memory wherever the message waits. @throws Refusal `too_large`.
 */
export function requireFewProperties(extra: Extra | null | undefined, propertyBytes: number): void {
  const bytes = extra?.properties.length ?? 0
  if (bytes > propertyBytes)
    throw new Refusal(
      'too_large',
      `the properties take ${bytes} bytes; at most ${propertyBytes} (limits.propertyBytes)`,
    )
}
