/** What each type of message holds: the one table of which fields it takes and which it needs. */
import { Compile } from 'typebox/compile'
import { Refusal } from '../../../schemas/errors.js'
import {
  CHANGE_TYPES,
  EMOJI,
  ENCRYPTED,
  LocationData,
  MESSAGE_TYPES,
  type MessageInput,
  OLD_EMOJI,
  ReactionData,
} from '../../../schemas/message.js'

const reactionShape = Compile(ReactionData)
const locationShape = Compile(LocationData)

/** A message about another one of its room. */
export type ChangeInput = MessageInput & { type: string; target: number }

interface Kind {
  /** Beside `cid` and `type`. */
  readonly fields: readonly (keyof MessageInput)[]
  /** At least one of these. */
  readonly needs: readonly (keyof MessageInput)[]
}

const CONTENT = ['text', 'attachments', 'data', 'mentions'] as const
const MESSAGE = [...CONTENT, 'replyTo', 'thread', 'ttl'] as const

/** It says what the other message says. */
const FORWARD: Kind = { fields: ['forward', 'replyTo', 'thread', 'ttl'], needs: [] }
/** What is encrypted is all in its data: nothing else of it is to be read. */
const SEALED = ['data', 'replyTo', 'thread', 'ttl'] as const

const KINDS: Record<string, Kind> = {
  text: { fields: MESSAGE, needs: ['text', 'attachments'] },
  custom: { fields: MESSAGE, needs: ['data'] },
  location: { fields: MESSAGE, needs: ['data'] },
  encrypted: { fields: SEALED, needs: ['data'] },
  edit: { fields: [...CONTENT, 'target'], needs: ['text', 'attachments', 'data'] },
  delete: { fields: ['target'], needs: [] },
  reaction: { fields: ['target', 'data'], needs: ['data'] },
  pin: { fields: ['target'], needs: [] },
  unpin: { fields: ['target'], needs: [] },
}

export function isChange(input: MessageInput | null): input is ChangeInput {
  return CHANGE_TYPES.has(input?.type ?? 'text')
}

/** Throws a refusal that names the field. */
export function checkType(input: MessageInput): void {
  const type = input.type ?? 'text'
  if (type === 'system') throw new Refusal('forbidden', 'only the broker sends system messages', { field: 'type' })
  if (!(MESSAGE_TYPES as readonly string[]).includes(type))
    throw new Refusal('bad_request', `type must be one of ${MESSAGE_TYPES.join(', ')}`, { field: 'type' })
  if (input.forward !== undefined && type === 'text') return checkFields('forward', input, FORWARD)
  checkFields(type, input, KINDS[type]!)
  checkData(type, input.data)
}

/** An edit says what its target says now: it is held to what the target's type needs. */
export function checkEdit(edit: MessageInput, targetType: string): void {
  if (targetType !== 'location' && targetType !== 'encrypted') return
  const { type: _, target: __, ...content } = edit
  checkType({ ...content, type: targetType })
}

function checkData(type: string, data: unknown): void {
  if (type === 'reaction') return checkReaction(data)
  if (type === 'location' && !locationShape.Check(data))
    throw wrongData('the data of a location is {"lat":48.4,"lon":9.99}, with accuracy in metres and name if you like')
  if (type === 'encrypted' && !(typeof data === 'string' && ENCRYPTED.test(data)))
    throw wrongData('the data of an encrypted message is text in base64')
}

function wrongData(why: string): Refusal {
  return new Refusal('bad_request', why, { field: 'data' })
}

function checkReaction(data: unknown): void {
  if (reactionShape.Check(data) && (data.remove ? OLD_EMOJI : EMOJI).test(data.emoji)) return
  throw wrongData('the data of a reaction is {"emoji":"👍"}, with "remove":true to take it back')
}

function checkFields(type: string, input: MessageInput, { fields, needs }: Kind): void {
  const about = CHANGE_TYPES.has(type)
  for (const field of Object.keys(input) as (keyof MessageInput)[]) {
    if (field === 'cid' || field === 'type' || input[field] === undefined || fields.includes(field)) continue
    throw new Refusal('bad_request', `a message of type ${type} has no ${field}`, { field })
  }
  if (about && input.target === undefined)
    throw new Refusal('bad_request', `a message of type ${type} needs a target: the seq it is about`, {
      field: 'target',
    })
  if (needs.length > 0 && needs.every((field) => input[field] === undefined))
    throw new Refusal('bad_request', `a message of type ${type} needs ${needs.join(' or ')}`, { field: needs[0] })
}
