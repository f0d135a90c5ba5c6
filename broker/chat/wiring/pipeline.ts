/** The way of what is published: checked, screened, written. */
import type { Config } from '../../../schemas/config.js'
import { Requests } from '../commands/requests.js'
import type { Commands } from '../commands/table.js'
import { Changes } from '../messages/changes.js'
import { Forwarding } from '../messages/forwarding.js'
import { MessageWriter, type MessageWriterDeps } from '../messages/message-writer.js'
import { isChange } from '../model/message-types.js'
import { Pipeline } from '../pipeline.js'
import { EphemeralMessages } from '../presence/ephemeral.js'
import { DirectConversations } from '../rooms/direct-conversations.js'
import type { DeviceServices } from './devices.js'
import type { FileServices } from './files.js'
import type { ModerationServices } from './moderation.js'
import type { PeopleServices } from './people.js'
import type { RoomServices } from './rooms.js'
import type { SharedServices } from './shared.js'

type Deps = SharedServices &
  RoomServices &
  FileServices &
  PeopleServices &
  ModerationServices & { devices: DeviceServices; commands: Commands }

export function makePipeline(config: Config, deps: Deps): Pipeline {
  const { store, replies, commands, failed } = deps
  return new Pipeline({
    ...deps,
    writer: makeWriter(config, deps),
    directConversations: new DirectConversations(store),
    deviceTopics: deps.devices.topics,
    requests: new Requests(store, commands, replies, failed),
    ephemeral: makeEphemeral(config, deps),
    payloadBytes: config.limits.payloadBytes,
    syncBytes: config.limits.syncBytes,
    propertyBytes: config.limits.propertyBytes,
  })
}

function makeWriter({ history, limits }: Config, deps: Deps): MessageWriter {
  const { reports, failed } = deps
  const { editWindow } = history
  const { reactionsPerMessage } = limits
  const flagged: MessageWriterDeps['flagged'] = ({ principal: { user } }, { input }, { room, seq }, why) =>
    void reports.flag(user, room, isChange(input) ? input.target : seq, seq, why).catch(failed)
  return new MessageWriter({
    ...deps,
    changes: new Changes({ ...deps, editWindow, reactionsPerMessage }),
    forwarding: new Forwarding(deps),
    flagged,
  })
}

function makeEphemeral({ limits: { typingPerSecond } }: Config, deps: Deps): EphemeralMessages {
  return new EphemeralMessages({ ...deps, directory: deps.store.directory, typingPerSecond })
}
