/** What each change (edit, delete, reaction, pin, unpin) requires, and its effect on the target and on the notes about it. */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { ReactionData } from '../../../schemas/message.js'
import type { Draft } from '../../store/changes.js'
import type { Effect } from '../../store/effect.js'
import type { Gone, LogEntry } from '../../store/logs.js'
import type { NoteWrite } from '../../store/notes.js'
import type { Store } from '../../store/store.js'
import type { Transaction } from '../../store/transaction.js'
import { deletionOf } from '../history/deletion.js'
import { pinsOf } from '../history/history-scan.js'
import { editedMentions } from '../history/mentions.js'
import { countReaction, encodeState, type MessageState, readState } from '../history/message-state.js'
import { Reactions } from '../history/reactions.js'
import type { Actor } from '../model/actor.js'
import type { ChangeInput } from '../model/message-types.js'
import { RoomRules } from '../rooms/room-rules.js'

/** Maximum edits per message. */
const MAX_EDITS = 1000
/** Maximum different emoji per message. */
const MAX_EMOJI = 50
/** Maximum pinned messages per room. */
const MAX_PINS = 100

/** A change, with the message it refers to and the draft of its entry. */
export interface ChangeRequest {
  readonly actor: Actor
  readonly room: string
  readonly input: ChangeInput
  readonly target: LogEntry
  readonly draft: Draft
}

/** The effect of the change; or the seq of an earlier entry that has had the same effect. */
export type Outcome =
  | { readonly effect: Effect; readonly same?: undefined }
  | { readonly same: number; readonly effect?: undefined }

export interface ChangeEffectsDeps {
  readonly store: Store
  /** Seconds; 0: no limit. */
  readonly editWindow: number
  readonly reactionsPerMessage: number
}

/** Names the number of pinned messages of a room. */
export function pinsOfRoom(room: string): string {
  return `pins ${room}`
}

export class ChangeEffects {
  readonly #store: Store
  readonly #editWindow: number
  readonly #maxReactions: number

  constructor({ store, editWindow, reactionsPerMessage }: ChangeEffectsDeps) {
    this.#store = store
    this.#editWindow = editWindow
    this.#maxReactions = reactionsPerMessage
  }

  of(request: ChangeRequest, tx: Transaction): Promise<Outcome> {
    switch (request.input.type) {
      case 'edit':
        return this.#edit(request, tx)
      case 'delete':
        return this.#delete(request, tx)
      case 'reaction':
        return this.#react(request, request.input.data as ReactionData, tx)
      case 'pin':
        return this.#pin(request, tx)
      default:
        return this.#unpin(request, tx)
    }
  }

  async #edit(request: ChangeRequest, tx: Transaction): Promise<Outcome> {
    const { actor, target, draft } = request
    this.#requireAuthority(request, tx)
    if (this.#editWindow > 0 && draft.ts > target.ts + this.#editWindow * 1000)
      throw new Refusal('forbidden', `messages are edited within ${this.#editWindow} s (history.editWindow)`, {
        field: 'target',
      })
    const state = await stateOf(request, tx)
    if (state.edits >= MAX_EDITS) throw conflict(`message ${target.seq} was edited ${MAX_EDITS} times`)
    const editedState = { ...state, edits: state.edits + 1, editedAt: draft.ts, editedBy: actor.principal.user }
    const edit: NoteWrite = { kind: 'edit', target: target.seq, name: null, value: '' }
    const mentionNote = await tx.notes.get(draft.log, 'mention', target.seq)
    const { seq, from, extra } = target
    const subject = { seq, from, until: extra?.expiresAt ?? 0 }
    const mentions = editedMentions(request.input.mentions, subject, mentionNote)
    return { effect: { notes: [stateNote(target, encodeState(editedState, 'edited')), edit, ...mentions] } }
  }

  /** Erases the message's edits and reactions with it, and all notes about it. */
  async #delete(request: ChangeRequest, tx: Transaction): Promise<Outcome> {
    const { target, draft } = request
    this.#requireAuthority(request, tx)
    const { seqs, notes, ...thread } = await deletionOf(tx.notes, draft.log, target.seq)
    return { effect: { erase: { seqs, gone: { ...deletedBy(request), ...thread } }, notes } }
  }

  /** Of the entries by which a user adds and removes one emoji, only the last is kept. */
  async #react(request: ChangeRequest, { emoji, remove = false }: ReactionData, tx: Transaction): Promise<Outcome> {
    const { actor, target, draft } = request
    const { user } = actor.principal
    const reactions = new Reactions(tx.notes)
    const mine = await reactions.of(draft.log, target.seq, user)
    const last = mine.get(emoji)
    if (last && last.on === !remove) return { same: last.seq }
    if (remove && !last) throw new Refusal('not_found', `you did not react with ${emoji}`, { field: 'data' })
    reactions.requireCapacity(mine, emoji)
    const state = await stateOf(request, tx)
    if (!remove && state.reactions.length >= MAX_EMOJI && !state.reactions.some(([other]) => other === emoji))
      throw conflict(`message ${target.seq} has ${MAX_EMOJI} different emoji already`)
    const count = state.reactions.reduce((sum, [, each]) => sum + each, 0)
    if (!remove && count >= this.#maxReactions)
      throw conflict(`message ${target.seq} has ${count} reactions (limits.reactionsPerMessage)`)
    const on = last?.variants.filter((one) => one.on).length ?? 0
    const newState = encodeState(countReaction(state, emoji, (remove ? 0 : 1) - on), 'reacted')
    const notes = [stateNote(target, newState), ...reactions.notesOf(target.seq, user, emoji, !remove, last)]
    const seqs = last?.variants.map(({ seq }) => seq) ?? []
    return { effect: { notes, ...(seqs.length > 0 ? { erase: { seqs, gone: deletedBy(request) } } : {}) } }
  }

  async #pin(request: ChangeRequest, tx: Transaction): Promise<Outcome> {
    const { actor, draft, target } = request
    this.#requirePinning(request, tx)
    const known = await pinOf(request, tx)
    if (known) return { same: known.seq }
    tx.topic(pinsOfRoom(request.room))
    const pins = await pinsOf(this.#store, draft.log, [1, Number.MAX_SAFE_INTEGER - 1])
    const gone = pins.filter(({ entry }) => !entry)
    if (pins.length - gone.length >= MAX_PINS) throw conflict(`${MAX_PINS} messages are pinned; unpin one first`)
    const head = JSON.stringify({ by: actor.principal.user, at: draft.ts }).slice(0, -1)
    const note: NoteWrite = { kind: 'pin', target: target.seq, name: '', value: [`${head},"seq":`, '}'] }
    return { effect: { notes: [note, ...gone.map((pin) => unpinned(pin.target))] } }
  }

  async #unpin(request: ChangeRequest, tx: Transaction): Promise<Outcome> {
    const { target } = request
    this.#requirePinning(request, tx)
    if (!(await pinOf(request, tx)))
      throw new Refusal('not_found', `message ${target.seq} is not pinned`, { field: 'target' })
    return { effect: { notes: [unpinned(target.seq)] } }
  }

  /** The author and moderators may edit and delete. @throws Refusal `forbidden`. */
  #requireAuthority({ actor, room, input, target }: ChangeRequest, { directory }: Transaction): void {
    if (target.from === actor.principal.user || new RoomRules(directory).mayModerate(actor, room, 'moderate')) return
    const others = isDirectRoom(room) ? '' : ` or moderates ${room}`
    throw new Refusal('forbidden', `only who wrote message ${target.seq}${others} may ${input.type} it`, {
      field: 'target',
    })
  }

  #requirePinning({ actor, room, input }: ChangeRequest, { directory }: Transaction): void {
    if (isDirectRoom(room) || new RoomRules(directory).mayModerate(actor, room, 'pin')) return
    throw new Refusal('forbidden', `only who moderates ${room} may ${input.type} messages`, { field: 'target' })
  }
}

async function stateOf({ draft, target }: ChangeRequest, { notes }: Transaction): Promise<MessageState> {
  return readState(await notes.get(draft.log, 'state', target.seq))
}

async function pinOf({ draft, target }: ChangeRequest, { notes }: Transaction): Promise<{ seq: number } | null> {
  return JSON.parse((await notes.get(draft.log, 'pin', target.seq)) ?? 'null')
}

function unpinned(target: number): NoteWrite {
  return { kind: 'pin', target, name: '', value: null }
}

function stateNote({ seq }: LogEntry, value: NoteWrite['value']): NoteWrite {
  return { kind: 'state', target: seq, name: '', value }
}

function deletedBy({ actor, draft }: ChangeRequest): Gone {
  return { why: 'deleted', by: actor.principal.user, at: draft.ts }
}

function conflict(message: string): Refusal {
  return new Refusal('conflict', message, { field: 'target' })
}
