/** The way of what is published: checked, screened, written. */
import type { Config } from '../../../schemas/config.js'
import { Requests } from '../commands/requests.js'
import type { Commands } from '../commands/table.js'
import { Changes } from '../messages/changes.js'
import { Forwarding } from '../messages/forwarding.js'
import { Writing, type WritingParts } from '../messages/writing.js'
import { isChange } from '../model/message-types.js'
import { Pipeline } from '../pipeline.js'
import { EphemeralMessages } from '../presence/ephemeral.js'
import { Typing } from '../presence/typing.js'
import { DirectConversations } from '../rooms/direct-conversations.js'
import type { DeviceParts } from './devices.js'
import type { ModerationParts } from './moderation.js'
import type { PeopleParts } from './people.js'
import type { RoomParts } from './rooms.js'
import type { SharedParts } from './shared.js'

type Parts = SharedParts & RoomParts & PeopleParts & ModerationParts & { devices: DeviceParts; commands: Commands }

export function makePipeline(config: Config, parts: Parts): Pipeline {
  const { store, bus, locks, replies, commands, failed } = parts
  return new Pipeline({
    ...parts,
    writing: makeWriting(config, parts),
    directs: new DirectConversations(store, bus, locks),
    deviceTopics: parts.devices.topics,
    requests: new Requests(commands, replies, failed),
    ephemeral: makeEphemeral(config, parts),
    payloadBytes: config.limits.payloadBytes,
    syncBytes: config.limits.syncBytes,
    propertyBytes: config.limits.propertyBytes,
  })
}

function makeWriting({ history, limits }: Config, parts: Parts): Writing {
  const { messageLocks, reports, failed } = parts
  const { editWindow } = history
  const { reactionsPerMessage } = limits
  const flagged: WritingParts['flagged'] = ({ principal: { user } }, { input }, { room, seq }, why) =>
    void reports.flag(user, room, isChange(input) ? input.target : seq, seq, why).catch(failed)
  return new Writing({
    ...parts,
    changes: new Changes({ ...parts, locks: messageLocks, editWindow, reactionsPerMessage }),
    forwarding: new Forwarding(parts),
    flagged,
  })
}

function makeEphemeral({ limits: { typingPerSecond } }: Config, parts: Parts): EphemeralMessages {
  const { bus, wheel, store, largeRooms } = parts
  const typing = new Typing(bus, wheel, largeRooms)
  return new EphemeralMessages({ ...parts, directory: store.directory, typing, typingPerSecond })
}
