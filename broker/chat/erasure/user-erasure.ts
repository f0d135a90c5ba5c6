/** Erases what a deleted user left outside of rooms: notifications, announcements, device commands, reports, webhooks. */
import { SYSTEM } from '../../../schemas/ids.js'
import { topics } from '../../../schemas/topics.js'
import { commit } from '../../store/commit.js'
import type { Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { DeviceCommands } from '../devices/device-commands.js'
import { lockOf } from '../devices/devices.js'
import type { Files } from '../files/files.js'
import { parseObject } from '../model/message.js'
import { logs } from '../model/views.js'
import type { WebhookAdmin } from '../model/webhook-admin.js'
import type { Reports } from '../moderation/reports.js'
import type { Announcements } from '../notices/announcements.js'
import type { Notifications } from '../notices/notifications.js'
import type { RoomErasure } from './room-erasure.js'

const NOTIFICATIONS = logs.notifications('')
const BROADCAST = logs.broadcast('')

export interface UserErasureDeps {
  readonly store: Store
  readonly roomErasure: Pick<RoomErasure, 'entries'>
  readonly reports: Pick<Reports, 'removeUser'>
  readonly notifications: Pick<Notifications, 'withdraw'>
  readonly announcements: Pick<Announcements, 'clear'>
  readonly commands: Pick<DeviceCommands, 'withdraw'>
  readonly webhooks: Pick<WebhookAdmin, 'removeUser'>
  readonly files: Pick<Files, 'removeOf'>
}

type Pause = () => Promise<void>

export class UserErasure {
  readonly #deps: UserErasureDeps

  constructor(deps: UserErasureDeps) {
    this.#deps = deps
  }

  /** Every step may be repeated. `pause` yields between steps. */
  async erase(user: string, pause: Pause): Promise<void> {
    const { store, reports, notifications, webhooks, files } = this.#deps
    await reports.removeUser(user)
    await files.removeOf(user, pause)
    for await (const log of store.log.names()) {
      if (log.startsWith(NOTIFICATIONS)) {
        await pause()
        await notifications.withdraw(user, log.slice(NOTIFICATIONS.length))
      } else if (log.startsWith(BROADCAST)) await this.#announcements(user, log.slice(BROADCAST.length), pause)
    }
    await this.#devices(user, pause)
    await webhooks.removeUser(user)
    await this.#forwarded(user)
  }

  async #announcements(user: string, channel: string, pause: Pause): Promise<void> {
    const { store, roomErasure, announcements } = this.#deps
    for (let after: number | null = 0; after !== null; ) {
      await pause()
      after = (await roomErasure.entries(user, logs.broadcast(channel), after)).next
    }
    for await (const { payload } of store.queue.retained([topics.broadcast(channel)]))
      if (parseObject(payload.toString('utf8'))?.['from'] === user) await announcements.clear(channel)
  }

  /** Commands to devices of others, and bridges that the user made for devices which have another owner now. */
  async #devices(user: string, pause: Pause): Promise<void> {
    const { store, commands } = this.#deps
    const { devices } = store.directory
    for (const { device } of [...devices.all()]) {
      await pause()
      await commands.withdraw(user, device)
      await store.transact(lockOf(device), ({ directory: { devices } }) => {
        const mine = [...devices.bridges.of(device).values()].filter(({ by }) => by === user)
        return { ops: mine.map((bridge) => devices.bridges.putOp({ ...bridge, by: SYSTEM })), value: undefined }
      })
    }
  }

  /** Deletes the records of rooms with forwarded content of the user, after that content is erased. */
  async #forwarded(user: string): Promise<void> {
    const { store } = this.#deps
    const { forwarded } = store.directory
    const ops: Op[] = []
    for (const { id } of store.directory.rooms()) if (forwarded.get(id, user)) ops.push(forwarded.deleteOp(id, user))
    if (ops.length > 0) await commit(store, { ops })
  }
}
