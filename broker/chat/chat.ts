/** Chat, made and wired: each kind of part in `parts/`. */
import type { Config } from '../../schemas/config.js'
import { Access } from './access.js'
import type { Actor } from './actor.js'
import { Commands } from './commands.js'
import { makeHandlers } from './parts/commands.js'
import { makeDevices } from './parts/devices.js'
import { makeModeration } from './parts/moderation.js'
import { makePeople } from './parts/people.js'
import { makePipeline } from './parts/pipeline.js'
import { makeRemovals } from './parts/removals.js'
import { makeRooms } from './parts/rooms.js'
import { type ChatParts, makeShared } from './parts/shared.js'
import { type Publish, publishGated } from './publish-gate.js'
import type { Reached } from './receipts.js'
import type { Removals } from './removals.js'
import { logs } from './views.js'

/** A session of the user acknowledged an entry. */
export type Delivered = (user: string, place: Reached, seq: number) => void

export async function makeChat(config: Config, parts: ChatParts) {
  const shared = await makeShared(config, parts)
  const rooms = { ...shared, ...makeRooms(config, shared) }
  const people = { ...rooms, ...(await makePeople(config, rooms)) }
  const run = (actor: Actor, name: string, params: object): Promise<unknown> => commands.run(actor, name, params)
  const moderated = { ...people, ...makeModeration(config, { ...rooms, run }) }
  const remove = (user: string): Promise<unknown> => removals.remove(user, 'kept')
  const { accounts, keys } = parts.auth
  const devices = makeDevices(config, { ...moderated, accounts, keys, remove, roomRules: rooms.rules })
  const removals: Removals = makeRemovals({ ...moderated, devices })
  const publish: Publish = (...message) => publishGated(pipeline, parts.gate, ...message)
  const handlers = makeHandlers(config, { ...moderated, devices, removals, publish, remove })
  const commands: Commands = new Commands(handlers, shared.replyBytes, shared.rates, moderated.audit, parts.space)
  const pipeline = makePipeline(config, { ...moderated, devices, commands })

  const { store, views, acl, plain, rates } = shared
  const { info, members, sanctions } = rooms
  const { presence, receipts, notifications, exports } = people
  const { audit, reports } = moderated
  /** What an acknowledgement of a log's entry means. Hot path. */
  const delivered: Delivered = (user, place, seq) => {
    if (place.view.room !== null) receipts.reached(user, place)
    else if (place.view.log === logs.notifications(user)) notifications.reached(user, seq)
    else if (place.view.log === logs.deviceCommands(user)) devices.commands.reached(user, seq)
  }
  return {
    delivered,
    trim: async () => {
      await notifications.trimming.run()
      await devices.commands.trim()
    },
    access: new Access({ store, acl, pipeline, presence, info, devices: devices.rules }),
    rooms: rooms.rooms,
    ownership: rooms.ownership,
    ...{ acl, views, members, sanctions, presence, plain, pipeline, commands, rates, receipts },
    ...{ notifications, exports, removals, info, audit, reports },
  }
}
