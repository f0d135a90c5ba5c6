import type { BOT_COMMANDS } from '../../../schemas/commands/bots.js'
import { Refusal } from '../../../schemas/errors.js'
import { requireSameAccount, versionOf } from '../../auth/account-version.js'
import type { Accounts, Allow } from '../../auth/accounts.js'
import type { KeyRecord, Keys } from '../../auth/keys.js'
import type { BotRecord, SlashCommand } from '../../store/bots.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Ownership } from '../../store/persons.js'
import type { Store } from '../../store/store.js'
import { commandRank } from '../messages/slash-commands.js'
import { type Actor, isAdmin, requireCurrent, requireUser } from '../model/actor.js'
import { botKeyLife, requireNoKey } from '../model/api-key-limits.js'
import { addOwned, type RemoveFunction } from '../model/owned-accounts.js'
import type { Members } from '../rooms/members.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { firstFitting } from './lists.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the commands. */
const ENVELOPE = 1024

export interface BotCommandDeps {
  readonly store: Pick<Store, 'transact' | 'directory'>
  readonly rules: RoomRules
  readonly members: Pick<Members, 'allowCommands'>
  readonly accounts: Pick<Accounts, 'create'>
  readonly keys: Keys
  readonly remove: RemoveFunction
  /** Maximum number of bots per user; 0: only admins create bots. */
  readonly botsPerUser: number
  readonly replyBytes: number
}

export function botCommands(deps: BotCommandDeps): Handlers<keyof typeof BOT_COMMANDS> {
  const { keys, store, rules } = deps
  const { directory } = store
  return {
    'keys.create': async (actor, { name, user, expiresIn = null }) => {
      const keyOwner = await ownerOfKeys(directory, actor, user)
      const own = keyOwner === actor.principal.user
      const ofBot = !own && directory.bots.get(keyOwner)?.owner === actor.principal.user
      if (!ofBot) requireNoKey(actor, 'makes keys for bots of its user alone')
      // The token may have fewer roles than the account: a key made with it gets no more.
      const roles = own ? [...actor.principal.roles] : rolesForBot(actor)
      const life = ofBot ? botKeyLife(actor, expiresIn) : expiresIn
      const { record, key } = await keys.create(keyOwner, { name, roles, expiresIn: life }, stillOwner(actor, user))
      return JSON.stringify(newKey(record, key))
    },
    'keys.list': async (actor, { user }) => {
      const all = await keys.list(await ownerOfKeys(directory, actor, user))
      return JSON.stringify({ keys: all.map((key) => ({ ...keyInfo(key), usedAt: key.usedAt || null })) })
    },
    'keys.revoke': async (actor, { keyId, user }) => {
      const keyOwner = await ownerOfKeys(directory, actor, user)
      if (!(await keys.revoke(keyOwner, keyId, stillOwner(actor, user))))
        throw new Refusal('not_found', `there is no key ${JSON.stringify(keyId)}`, { field: 'keyId' })
      return '{}'
    },
    'bots.create': async (actor, { bot }) => {
      const account = versionOf(await createBot(deps, actor, bot))
      const made = { name: 'first', roles: rolesForBot(actor), expiresIn: botKeyLife(actor, null) }
      const { record, key } = await keys.create(
        bot,
        made,
        async (tx) => void (await requireSameAccount(tx.directory, { user: bot, account })),
      )
      return JSON.stringify({ bot, key: newKey(record, key) })
    },
    'bots.list': async (actor, { after = '', limit = 100 }) => {
      const all = directory.bots.ofOwner(requireUser(actor)).map(({ bot, createdAt }) => ({ bot, createdAt }))
      const page = all.filter(({ bot }) => bot > after).sort((a, b) => (a.bot < b.bot ? -1 : 1))
      return JSON.stringify({ bots: page.slice(0, limit), more: page.length > limit })
    },
    'bots.delete': async (actor, { bot }) => {
      await deps.remove(bot, (tx) => void requireBot(tx.directory, actor, bot))
      return '{}'
    },
    'slash.set': async (actor, { bot = requireUser(actor), commands }) => {
      requireDistinct(commands)
      await store.transact(`bot ${bot}`, async (tx) => {
        await requireSameAccount(tx.directory, actor.principal)
        const isItself = bot === requireUser(actor)
        const record = isItself ? requireBotItself(tx.directory, bot) : requireBot(tx.directory, actor, bot)
        return { ops: [tx.directory.bots.putOp({ ...record, commands })], value: null }
      })
      return '{}'
    },
    'slash.list': async (actor, { room, cursor, limit = 1000 }) => {
      const id = rules.resolve(actor, room)
      rules.requireMember(actor, id)
      const all = commandsIn(deps, id, requireUser(actor))
      const from = cursor === undefined ? 0 : all.findIndex((command) => cursorOf(command) === cursor) + 1
      if (cursor !== undefined && from === 0)
        throw new Refusal('bad_request', 'the commands have changed; begin anew', { field: 'cursor' })
      const page = firstFitting(all.slice(from, from + limit), deps.replyBytes - ENVELOPE)
      const more = from + page.length < all.length
      return JSON.stringify({ commands: page, more, ...(more ? { cursor: cursorOf(page.at(-1)!) } : {}) })
    },
    'slash.allow': async (actor, { room, bot, allow = true }) => {
      await deps.members.allowCommands(actor, rules.resolve(actor, room), bot, allow)
      return '{}'
    },
  }
}

async function createBot({ store, accounts, botsPerUser }: BotCommandDeps, actor: Actor, bot: string) {
  const owner = requireUser(actor)
  const requirePlace = ({ bots, devices }: Ownership): void => {
    if (!isAdmin(actor) && botsPerUser === 0) throw new Refusal('forbidden', 'bots are made by admins')
    if (bots.get(owner) || devices.get(owner)) throw new Refusal('forbidden', 'a bot or a device makes no bots')
    if (!isAdmin(actor) && bots.ofOwner(owner).length >= botsPerUser)
      throw new Refusal('conflict', `you have ${botsPerUser} bots (limits.botsPerUser); delete one first`)
  }
  requirePlace(store.directory)
  return addOwned(accounts, 'bot', bot, actor, ({ directory }) => {
    requirePlace(directory)
    return directory.bots.putOp({ bot, owner, createdAt: Date.now(), commands: [] })
  })
}

async function ownerOfKeys(
  directory: Pick<DirectoryStore, 'bots' | 'user'>,
  actor: Actor,
  user: string | undefined,
): Promise<string> {
  const me = requireUser(actor)
  if (user === undefined || user === me) return me
  if (directory.bots.get(user)?.owner === me) return user
  if (!isAdmin(actor)) throw new Refusal('forbidden', 'keys of others are for admins', { field: 'user' })
  if (await directory.user(user)) return user
  throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
}

/** Whose keys they are is checked again when they change. */
function stillOwner(actor: Actor, user: string | undefined): Allow {
  return async ({ directory }) => {
    await requireCurrent(directory, actor)
    await ownerOfKeys(directory, actor, user)
  }
}

/** Roles of a bot's key: all roles of the bot (null); made with an API key, only the roles of that key. */
function rolesForBot({ principal }: Actor): string[] | null {
  return principal.byKey ? ['bot', ...principal.roles] : null
}

function requireBot({ bots }: Pick<DirectoryStore, 'bots'>, actor: Actor, bot: string): BotRecord {
  const record = bots.get(bot)
  const mine = record?.owner === requireUser(actor)
  if (record && (mine || isAdmin(actor))) return record
  throw new Refusal('not_found', `you have no bot ${bot}`, { field: 'bot' })
}

function requireBotItself({ bots }: Pick<DirectoryStore, 'bots'>, user: string): BotRecord {
  const record = bots.get(user)
  if (!record) throw new Refusal('forbidden', 'you are not a bot; say which of your bots it is about', { field: 'bot' })
  return record
}

function requireDistinct(commands: readonly SlashCommand[]): void {
  const names = new Set<string>()
  for (const [i, { name }] of commands.entries()) {
    if (names.has(name)) throw new Refusal('bad_request', `/${name} is there twice`, { field: `commands.${i}.name` })
    names.add(name)
  }
}

/** Position of a command in the list, for the cursor. */
function cursorOf({ name, bot }: { name: string; bot: string }): string {
  return `${name}@${bot}`
}

/** Commands in a room, by name; of one name the bot that gets it comes first. */
function commandsIn({ store }: BotCommandDeps, room: string, sender: string) {
  const { directory } = store
  const present: { record: BotRecord; rank: number }[] = []
  for (const user of directory.members(room).keys()) {
    const record = directory.bots.get(user)
    const rank = record ? commandRank(directory, record, room, sender) : null
    if (record && rank !== null) present.push({ record, rank })
  }
  present.sort((a, b) => a.rank - b.rank || a.record.createdAt - b.record.createdAt)
  const all = present.flatMap(({ record: { bot, owner, commands } }) =>
    commands.map((command) => ({ ...command, bot, owner })),
  )
  return all.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function keyInfo({ id, name, createdAt, expiresAt }: KeyRecord) {
  return { keyId: id, id, name, createdAt, expiresAt }
}

function newKey(record: KeyRecord, key: string) {
  return { ...keyInfo(record), key }
}
