/** The fields that each message type takes and requires. */
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

/** A message that refers to another message of its room (edit, delete, reaction, pin, unpin). */
export type ChangeInput = MessageInput & { type: string; target: number }

interface TypeFields {
  /** Allowed fields, beside `cid` and `type`. */
  readonly fields: readonly (keyof MessageInput)[]
  /** At least one of these is required. */
  readonly needs: readonly (keyof MessageInput)[]
}

const CONTENT_FIELDS = ['text', 'attachments', 'data', 'mentions'] as const
const MESSAGE_FIELDS = [...CONTENT_FIELDS, 'replyTo', 'thread', 'ttl'] as const

/** A forward takes its content from the message it forwards. */
const FORWARD_FIELDS: TypeFields = { fields: ['forward', 'replyTo', 'thread', 'ttl'], needs: [] }
/** An encrypted message has all its content in `data`, so it takes no readable content. */
const ENCRYPTED_FIELDS = ['data', 'replyTo', 'thread', 'ttl'] as const

const TYPE_FIELDS: Record<string, TypeFields> = {
  text: { fields: MESSAGE_FIELDS, needs: ['text', 'attachments'] },
  custom: { fields: MESSAGE_FIELDS, needs: ['data'] },
  location: { fields: MESSAGE_FIELDS, needs: ['data'] },
  encrypted: { fields: ENCRYPTED_FIELDS, needs: ['data'] },
  edit: { fields: [...CONTENT_FIELDS, 'target'], needs: ['text', 'attachments', 'data'] },
  delete: { fields: ['target'], needs: [] },
  reaction: { fields: ['target', 'data'], needs: ['data'] },
  pin: { fields: ['target'], needs: [] },
  unpin: { fields: ['target'], needs: [] },
}

export function isChange(input: MessageInput | null): input is ChangeInput {
  return CHANGE_TYPES.has(input?.type ?? 'text')
}

/** @throws Refusal that names the field. */
export function checkType(input: MessageInput): void {
  const type = input.type ?? 'text'
  if (type === 'system') throw new Refusal('forbidden', 'only the broker sends system messages', { field: 'type' })
  if (!(MESSAGE_TYPES as readonly string[]).includes(type))
    throw new Refusal('bad_request', `type must be one of ${MESSAGE_TYPES.join(', ')}`, { field: 'type' })
  if (input.forward !== undefined && type === 'text') return checkFields('forward', input, FORWARD_FIELDS)
  checkFields(type, input, TYPE_FIELDS[type]!)
  checkAttachments(input.attachments)
  checkData(type, input.data)
}

function checkAttachments(attachments: MessageInput['attachments'] = []): void {
  for (const [i, { url, file }] of attachments.entries())
    if ((url === undefined) === (file === undefined))
      throw new Refusal('bad_request', 'an attachment has either a url or the file that was uploaded', {
        field: `attachments.${i}.${url === undefined ? 'url' : 'file'}`,
      })
}

/** The content of an edit replaces that of its target, so it must be valid for the target's type. @throws Refusal */
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

function checkFields(type: string, input: MessageInput, { fields, needs }: TypeFields): void {
  const isChangeType = CHANGE_TYPES.has(type)
  for (const field of Object.keys(input) as (keyof MessageInput)[]) {
    if (field === 'cid' || field === 'type' || input[field] === undefined || fields.includes(field)) continue
    throw new Refusal('bad_request', `a message of type ${type} has no ${field}`, { field })
  }
  if (isChangeType && input.target === undefined)
    throw new Refusal('bad_request', `a message of type ${type} needs a target: the seq it is about`, {
      field: 'target',
    })
  if (needs.length > 0 && needs.every((field) => input[field] === undefined))
    throw new Refusal('bad_request', `a message of type ${type} needs ${needs.join(' or ')}`, { field: needs[0] })
}
