/** What each type of message holds: the one table of which fields it takes and which it needs. */
import { Compile } from 'typebox/compile'
import { Refusal } from '../../schemas/errors.js'
import {
  BUILT_TYPES,
  CHANGE_TYPES,
  EMOJI,
  MESSAGE_TYPES,
  type MessageInput,
  ReactionData,
} from '../../schemas/message.js'

const reactionShape = Compile(ReactionData)

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

const KINDS: Record<string, Kind> = {
  text: { fields: MESSAGE, needs: ['text', 'attachments'] },
  custom: { fields: MESSAGE, needs: ['data'] },
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
  if (!BUILT_TYPES.has(type))
    throw new Refusal('not_implemented', `messages of type ${type} are not built yet`, { field: 'type' })
  if (input.forward !== undefined && type === 'text') return checkFields('forward', input, FORWARD)
  checkFields(type, input, KINDS[type]!)
  if (type === 'reaction') checkReaction(input.data)
}

function checkReaction(data: unknown): void {
  const expected = '{"emoji":"👍"}, with "remove":true to take it back'
  if (reactionShape.Check(data) && EMOJI.test(data.emoji)) return
  throw new Refusal('bad_request', `the data of a reaction is ${expected}`, { field: 'data' })
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
