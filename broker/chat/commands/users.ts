import { MAX_FIELDS_BYTES, type USER_COMMANDS } from '../../../schemas/commands/users.js'
import { Refusal } from '../../../schemas/errors.js'
import { commit } from '../../store/commit.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Store } from '../../store/store.js'
import type { BlockRecord, ProfileRecord } from '../../store/users.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { requireUser } from '../model/actor.js'
import type { AskLimits } from '../model/ask-limits.js'
import type { Presence } from '../presence/presence.js'
import type { Handlers } from './table.js'

/** Maximum number of users that one user blocks. */
const MAX_BLOCKS = 1000

export interface PeopleCommandDeps {
  readonly store: Store
  readonly locks: KeyedMutex
  readonly presence: Pick<Presence, 'updateVisibility'>
  readonly askLimits: AskLimits
}

export function userCommands(deps: PeopleCommandDeps): Handlers<keyof typeof USER_COMMANDS> {
  const { store, locks, presence } = deps
  const { directory } = store
  return {
    'users.get': async (_, { user }) => {
      await requireKnown(directory, user)
      return JSON.stringify((await directory.profile(user)) ?? plainProfile(user))
    },
    'users.update': (actor, { name, avatar, fields }) => {
      const user = requireUser(actor)
      return locks.runExclusive(`profile ${user}`, async () => {
        const before = (await directory.profile(user)) ?? plainProfile(user)
        const profile: ProfileRecord = {
          user,
          name: name === undefined ? before.name : name,
          avatar: avatar === undefined ? before.avatar : avatar,
          fields: mergeFields(before.fields, fields ?? {}),
          updatedAt: Date.now(),
        }
        await commit(store, { ops: [directory.profileOp(profile)] })
        return JSON.stringify(profile)
      })
    },
    'users.search': async (_, { query, after = '', limit = 20 }) => {
      const found = await directory.usersLike(query, after, limit + 1)
      const shown = found.slice(0, limit)
      const users = await Promise.all(shown.map(async (user) => (await directory.profile(user)) ?? plainProfile(user)))
      return JSON.stringify({ users, more: found.length > limit })
    },
    'blocks.add': async (actor, { user }) => {
      const me = requireUser(actor)
      if (user === me) throw new Refusal('bad_request', 'that is your own name', { field: 'user' })
      await requireKnown(directory, user)
      return locks.runExclusive(`blocks ${me}`, async () => {
        const mine = directory.blocks(me)
        if (mine.has(user)) return '{}'
        if (mine.size >= MAX_BLOCKS) throw new Refusal('conflict', `at most ${MAX_BLOCKS} users are blocked at a time`)
        // A block ends being contacts, in both directions.
        const apart = [directory.deleteContactOp(me, user), directory.deleteContactOp(user, me)]
        const ops = [directory.blockOp({ user: me, blocked: user, at: Date.now() }), ...apart]
        await presence.updateVisibility(me, user, () => commit(store, { ops }))
        return '{}'
      })
    },
    'blocks.remove': (actor, { user }) => {
      const me = requireUser(actor)
      return locks.runExclusive(`blocks ${me}`, async () => {
        const ops = [directory.deleteBlockOp(me, user)]
        if (directory.blocks(me).has(user)) await presence.updateVisibility(me, user, () => commit(store, { ops }))
        return '{}'
      })
    },
    'blocks.list': async (actor, { after = '', limit = 100 }) => {
      const mine = [...directory.blocks(requireUser(actor)).values()]
      const page = mine.filter(({ blocked }) => blocked > after).sort(byBlocked)
      const blocks = page.slice(0, limit).map(({ blocked, at }) => ({ user: blocked, since: at }))
      return JSON.stringify({ blocks, more: page.length > limit })
    },
  }
}

async function requireKnown(directory: DirectoryStore, user: string): Promise<void> {
  if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
}

function plainProfile(user: string): ProfileRecord {
  return { user, name: null, avatar: null, fields: {}, updatedAt: null }
}

function mergeFields(before: ProfileRecord['fields'], changes: ProfileRecord['fields']): ProfileRecord['fields'] {
  const all = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null)
  const fields = Object.fromEntries(all)
  if (all.length > 32) throw new Refusal('too_large', 'a profile has at most 32 fields', { field: 'fields' })
  if (Buffer.byteLength(JSON.stringify(fields)) > MAX_FIELDS_BYTES)
    throw new Refusal('too_large', `the fields of a profile have at most ${MAX_FIELDS_BYTES} bytes`, {
      field: 'fields',
    })
  return fields
}

function byBlocked(a: BlockRecord, b: BlockRecord): number {
  return a.blocked < b.blocked ? -1 : 1
}
