/** Changes of messages that race with what another node does, which this one has not heard of yet. */
import t from 'tap'
import { AttachedFiles } from '../../broker/chat/files/attached-files.js'
import { FileAccess } from '../../broker/chat/files/file-access.js'
import { Changes } from '../../broker/chat/messages/changes.js'
import { References } from '../../broker/chat/messages/references.js'
import type { SendRequest } from '../../broker/chat/messages/send.js'
import type { Actor } from '../../broker/chat/model/actor.js'
import type { ChangeInput } from '../../broker/chat/model/message-types.js'
import { Replies } from '../../broker/chat/model/replies.js'
import { RoomRules } from '../../broker/chat/rooms/room-rules.js'
import { body } from '../../broker/store/body.js'
import { LocalBus } from '../../broker/store/bus.js'
import type { Draft } from '../../broker/store/changes.js'
import { commit } from '../../broker/store/commit.js'
import { Lane } from '../../broker/store/lane.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { uuid7 } from '../../broker/util/uuid7.js'
import { secondMemory } from '../helpers/two-memories.js'

const LOG = 'm:tea'

function draft(from: string, input: object): Draft {
  const [id, ts] = [uuid7(), Date.now()]
  const text = body(`{"id":"${id}","seq":`, `,${JSON.stringify({ type: 'text', from, ts, ...input }).slice(1)}`)
  return { log: LOG, id, ts, from, qos: 1, body: text, dedupe: null }
}

/** Changes as a node makes them whose memory is that of `store`. */
function changesOf(store: Store): Changes {
  const rules = new RoomRules(store.directory)
  const replies = new Replies(new LocalBus())
  const audit = { drafts: () => [] } as unknown as ConstructorParameters<typeof Changes>[0]['audit']
  const references = new References(store, rules)
  const attachedFiles = new AttachedFiles(new FileAccess(store, store.directory), 0)
  return new Changes({ store, references, attachedFiles, replies, audit, editWindow: 0, reactionsPerMessage: 2 })
}

/** Resolves with the number of the entry that the change became, or with the code of its refusal. */
function change(store: Store, user: string, input: object): Promise<string> {
  const principal = { user, roles: new Set<string>(), anonymous: false } as unknown as Actor['principal']
  const actor: Actor = { principal, clientId: '', sessionId: null, silent: true }
  return new Promise((resolve) => {
    const publisher: SendRequest['publisher'] = {
      settled: (refusal, result) => resolve(refusal ? refusal.code : `entry ${result!.seq}`),
    }
    const publication = {
      topic: 'rooms/tea/messages',
      ops: [],
      lane: new Lane(store),
    } as unknown as SendRequest['publication']
    const sending = { actor, room: 'tea', cid: null, publication, draft: draft(user, input), publisher }
    changesOf(store)
      .send(input as ChangeInput, sending, (directory) => {
        const rules = new RoomRules(directory)
        rules.requireWriter(rules.requireMember(actor, 'tea'))
      })
      .catch((error) => resolve(error.code ?? String(error)))
  })
}

const [edit, removal] = [
  { type: 'edit', target: 1, text: 'edited' },
  { type: 'delete', target: 1 },
]
const react = (emoji: string) => ({ type: 'reaction', target: 1, data: { emoji } })
const pin = (target: number) => ({ type: 'pin', target })

/** What one node does, what another does that does not know of it, and what becomes of the second. */
const RACES: readonly [name: string, first: (store: Store) => Promise<unknown>, who: string, second: object, string][] =
  [
    ['an edit after a deletion', (store) => change(store, 'ann', removal), 'ann', edit, 'not_found'],
    ['an edit after another', (store) => change(store, 'ann', edit), 'ann', edit, 'entry 104'],
    ['a reaction after a deletion', (store) => change(store, 'ann', removal), 'bob', react('👍'), 'not_found'],
    ['a reaction after the same', (store) => change(store, 'bob', react('👍')), 'bob', react('👍'), 'entry 103'],
    ['a pin when the last place is taken', (store) => change(store, 'ann', pin(100)), 'ann', pin(101), 'conflict'],
    [
      'one by somebody who was removed',
      (store) => commit(store, { ops: store.directory.deleteMemberOps('tea', 'bob') }),
      'bob',
      react('👍'),
      'not_found',
    ],
    [
      'one by a moderator who is none any more',
      (store) => commit(store, { ops: [store.directory.memberOp(member('cy', 'member'))] }),
      'cy',
      edit,
      'forbidden',
    ],
    [
      'one in a room that was deleted',
      (store) => commit(store, { ops: store.directory.deleteRoomOps('tea') }),
      'ann',
      edit,
      'not_found',
    ],
    ['one of another message', (store) => change(store, 'ann', edit), 'ann', { ...edit, target: 2 }, 'entry 104'],
  ]

function member(user: string, role: 'owner' | 'moderator' | 'member') {
  return { room: 'tea', user, role, since: 1, joined: { messages: 0, events: 0 } }
}

for (const [name, first, who, second, expected] of RACES)
  t.test(name, async (t) => {
    const limits = { queueMessages: 10, queueBytes: 1000 }
    const store = await openLevelStore({ location: null, sync: false, limits })
    t.teardown(() => store.close())
    const { directory } = store
    const room = { id: 'tea', access: 'private' as const, direct: false, name: null, topic: null, avatar: null }
    await commit(store, {
      drafts: Array.from({ length: 102 }, (_, i) => draft('ann', { text: `message ${i + 1}` })),
      ops: [
        directory.roomOp({ ...room, ...ROOM_DEFAULTS, createdBy: 'ann', createdAt: 1 }),
        directory.memberOp(member('ann', 'owner')),
        directory.memberOp(member('bob', 'member')),
        directory.memberOp(member('cy', 'moderator')),
      ],
    })
    if (name.includes('last place'))
      for (let target = 1; target < 100; target++) await change(store, 'ann', pin(target))
    const other = await secondMemory(store)
    other.hold()
    await first(store)
    const outcome = change(other.store, who, second)
    setTimeout(other.release, 10)
    t.equal(await outcome, expected)
  })
