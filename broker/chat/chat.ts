/** Chat, made and wired: `wiring/` has a maker for each subject. */
import type { Config } from '../../schemas/config.js'
import { Lane } from '../store/lane.js'
import { Access } from './access.js'
import { Commands } from './commands/table.js'
import type { AccountRemovals } from './erasure/account-removals.js'
import type { Actor } from './model/actor.js'
import type { RemoveFunction } from './model/owned-accounts.js'
import { type PublishFunction, publishGated } from './model/publish-gate.js'
import { logs } from './model/views.js'
import type { CursorPosition } from './presence/receipts.js'
import { makeHandlers } from './wiring/commands.js'
import { makeDevices } from './wiring/devices.js'
import { makeRemovals } from './wiring/erasure.js'
import { makeFiles } from './wiring/files.js'
import { makeModeration } from './wiring/moderation.js'
import { makePeople } from './wiring/people.js'
import { makePipeline } from './wiring/pipeline.js'
import { makeRooms } from './wiring/rooms.js'
import { type ChatDeps, makeShared } from './wiring/shared.js'

/** A session of the user acknowledged an entry. */
type Delivered = (user: string, place: CursorPosition, seq: number) => void

export async function makeChat(config: Config, deps: ChatDeps) {
  const shared = await makeShared(config, deps)
  const rooms = { ...shared, ...makeRooms(config, shared), ...makeFiles(config, shared) }
  const people = { ...rooms, ...makePeople(config, rooms) }
  const run = (actor: Actor, name: string, params: object): Promise<unknown> => commands.run(actor, name, params)
  const moderated = { ...people, ...makeModeration(config, { ...rooms, run }) }
  const remove: RemoveFunction = (user, allow) => removals.remove(user, 'kept', allow)
  const { accounts, keys } = deps.auth
  const devices = makeDevices(config, { ...moderated, accounts, keys, remove, roomRules: rooms.rules })
  const removals: AccountRemovals = makeRemovals({ ...moderated, devices })
  const publish: PublishFunction = (actor, publication, publisher) => {
    const alone = { ...publication, lane: new Lane(deps.store) }
    return publishGated(pipeline, deps.sessions.gate, actor, alone, publisher)
  }
  const handlers = makeHandlers(config, { ...moderated, devices, removals, publish, remove })
  const commands: Commands = new Commands(handlers, shared.replyBytes, shared.rates, moderated.audit, deps.space)
  const pipeline = makePipeline(config, { ...moderated, devices, commands })

  const { store, views, acl, plainTopics, rates, accountOf, audit } = shared
  const { info, members, sanctions, files, fileAccess, fileLinks, fileVerdicts } = rooms
  const { presence, receipts, typing, notifications, exports } = people
  const { reports } = moderated
  /** What an acknowledgement of a log's entry means. Hot path. */
  const delivered: Delivered = (user, place, seq) => {
    if (place.view.room !== null) receipts.acked(user, place)
    else if (place.view.log === logs.notifications(user)) notifications.delivered(user, seq)
    else if (place.view.log === logs.deviceCommands(user)) devices.commands.delivered(user, seq)
  }
  return {
    delivered,
    trim: async () => {
      await notifications.trimming.run()
      await devices.commands.trim()
    },
    access: new Access({ store, acl, entry: rooms.entry, presence, info, devices: devices.rules }),
    rooms: rooms.rooms,
    deviceCommands: devices.commands,
    ownership: rooms.ownership,
    ...{ acl, views, members, sanctions, presence, plainTopics, pipeline, commands, rates, receipts, typing },
    ...{
      notifications,
      exports,
      removals,
      info,
      audit,
      reports,
      files,
      fileAccess,
      fileLinks,
      fileVerdicts,
      accountOf,
    },
  }
}

export type Chat = Awaited<ReturnType<typeof makeChat>>
