import { MAX_FIELDS_BYTES, type USER_COMMANDS } from '../../../schemas/commands/users.js'
import { Refusal } from '../../../schemas/errors.js'
import { requireSameAccount } from '../../auth/account-version.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Store } from '../../store/store.js'
import type { BlockRecord, ProfileRecord } from '../../store/users.js'
import { requireUser } from '../model/actor.js'
import type { AskLimits } from '../model/ask-limits.js'
import { usersNamed } from '../model/people-search.js'
import { plainProfile, profileOf } from '../model/profiles.js'
import type { Presence } from '../presence/presence.js'
import type { Handlers } from './table.js'

/** Maximum number of users that one user blocks. */
const MAX_BLOCKS = 1000

export interface PeopleCommandDeps {
  readonly store: Store
  readonly presence: Pick<Presence, 'updateVisibility' | 'set' | 'shownTo'>
  readonly askLimits: AskLimits
}

export function userCommands(deps: PeopleCommandDeps): Handlers<keyof typeof USER_COMMANDS> {
  const { store, presence } = deps
  const { directory } = store
  return {
    'users.get': async (_, { user }) => {
      await requireKnown(directory, user)
      return JSON.stringify(await profileOf(directory, user))
    },
    'users.profiles': async (_, { users, since, after = '' }) => {
      const asked = [...new Set(users)].filter((user) => user > after).sort()
      const profiles: ProfileRecord[] = []
      for (const user of asked) {
        if (!(await directory.user(user))) continue
        const profile = await profileOf(directory, user)
        if (since === undefined || (profile.updatedAt ?? 0) > since) profiles.push(profile)
      }
      return JSON.stringify({ profiles, more: false })
    },
    'users.presence': async (actor, { users }) => {
      const me = requireUser(actor)
      const presences = [...new Set(users)].sort().map((user) => presence.shownTo(user, me).toString())
      return `{"presences":[${presences.join(',')}]}`
    },
    'users.update': async (actor, { name, avatar, fields }) => {
      const user = requireUser(actor)
      const { value: profile } = await store.transact(`profile ${user}`, async ({ directory }) => {
        await requireSameAccount(directory, actor.principal)
        const stored = await directory.profile(user)
        const before = stored ?? plainProfile(user)
        const value: ProfileRecord = {
          user,
          name: name === undefined ? before.name : name,
          avatar: avatar === undefined ? before.avatar : avatar,
          fields: mergeFields(before.fields, fields ?? {}),
          updatedAt: Date.now(),
        }
        return { ops: directory.profileOps(value, stored), value }
      })
      // Those who see the presence learn that there is another profile.
      presence.set(user, { profileAt: profile.updatedAt! })
      return JSON.stringify(profile)
    },
    'users.search': async (_, { query, after = '', limit = 20 }) => {
      const lower = after.toLowerCase()
      const named = [...(await usersNamed(directory, query))].filter((user) => user.toLowerCase() > lower)
      const known = new Set([...(await directory.usersLike(query, after, limit + 1)), ...named])
      const found = [...known].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
      const shown = found.slice(0, limit)
      const users = await Promise.all(shown.map((user) => profileOf(directory, user)))
      return JSON.stringify({ users, more: found.length > limit })
    },
    'blocks.add': async (actor, { user }) => {
      const me = requireUser(actor)
      if (user === me) throw new Refusal('bad_request', 'that is your own name', { field: 'user' })
      const block = (): Promise<unknown> =>
        store.transact(`blocks ${me}`, async ({ directory }) => {
          await requireSameAccount(directory, actor.principal)
          await requireKnown(directory, user)
          const mine = directory.blocks(me)
          if (mine.has(user)) return { value: null }
          if (mine.size >= MAX_BLOCKS)
            throw new Refusal('conflict', `at most ${MAX_BLOCKS} users are blocked at a time`)
          // A block ends being contacts, in both directions.
          const apart = [directory.deleteContactOp(me, user), directory.deleteContactOp(user, me)]
          return { ops: [directory.blockOp({ user: me, blocked: user, at: Date.now() }), ...apart], value: null }
        })
      await presence.updateVisibility(me, user, block)
      return '{}'
    },
    'blocks.remove': async (actor, { user }) => {
      const me = requireUser(actor)
      const unblock = (): Promise<unknown> =>
        store.transact(`blocks ${me}`, async ({ directory }) => {
          await requireSameAccount(directory, actor.principal)
          return { ops: directory.blocks(me).has(user) ? [directory.deleteBlockOp(me, user)] : [], value: null }
        })
      await presence.updateVisibility(me, user, unblock)
      return '{}'
    },
    'blocks.list': async (actor, { after = '', limit = 100 }) => {
      const mine = [...directory.blocks(requireUser(actor)).values()]
      const page = mine.filter(({ blocked }) => blocked > after).sort(byBlocked)
      const blocks = page.slice(0, limit).map(({ blocked, at }) => ({ user: blocked, since: at }))
      return JSON.stringify({ blocks, more: page.length > limit })
    },
  }
}

export async function requireKnown(directory: Pick<DirectoryStore, 'user'>, user: string): Promise<void> {
  if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
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
