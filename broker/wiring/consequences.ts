/** What follows from stored changes for those who are connected here, on the node that made them and on all others alike. */
import type { DeviceCommands } from '../chat/devices/device-commands.js'
import { logs } from '../chat/model/views.js'
import type { Presence } from '../chat/presence/presence.js'
import type { Receipts } from '../chat/presence/receipts.js'
import type { RoomInfo } from '../chat/rooms/room-info.js'
import type { MembershipChange } from '../following/membership-change.js'
import type { Streams } from '../http/streams.js'
import type { Hub } from '../hub.js'
import type { Registry } from '../mqtt/registry.js'
import { namesOf } from '../store/persons.js'
import type { RecordChange } from '../store/record-changes.js'
import type { Store } from '../store/store.js'

export interface ConsequenceDeps {
  readonly store: Store
  readonly hub: Hub
  readonly registry: Pick<Registry, 'membership' | 'channel' | 'accountChanged' | 'sessionRemoved' | 'reloaded'>
  readonly streams: Pick<Streams, 'membership' | 'channel' | 'accountChanged' | 'accountsChanged' | 'storeLost'>
  readonly presence: Pick<Presence, 'stored'>
  readonly receipts: Pick<Receipts, 'membershipEnded'>
  readonly info: Pick<RoomInfo, 'changed'>
  readonly commands: Pick<DeviceCommands, 'opened' | 'reloaded'>
  readonly failed: (error: unknown) => void
}

export class Consequences {
  readonly #deps: ConsequenceDeps
  #epoch: string

  constructor(deps: ConsequenceDeps) {
    this.#deps = deps
    this.#epoch = deps.store.epoch
  }

  /** Never throws: those that follow another change must not miss theirs. */
  on(change: RecordChange): void {
    try {
      this.#follow(change)
    } catch (error) {
      this.#deps.failed(error)
    }
  }

  #follow(change: RecordChange): void {
    const { registry, streams, info, failed } = this.#deps
    switch (change.kind) {
      case 'membership':
        return this.#membership(change)
      case 'roomEnded':
        return this.#roomEnded(change.room, change.members)
      case 'room':
        return info.changed(change.room)
      case 'channel':
        registry.channel(change.channel)
        return streams.channel(change.channel)
      case 'account':
        return this.#account(change.user)
      case 'sessionRemoved':
        registry.sessionRemoved(change.session).catch(failed)
        return
      case 'owner':
        // Followed by the claims of sessions (mqtt/claims.ts).
        return
      case 'job':
        // Followed by the jobs themselves (store/jobs.ts).
        return
      case 'webhook':
      case 'retry':
        // Followed by the webhooks (readers/webhooks/webhooks.ts).
        return
      case 'openCommand':
        return this.#deps.commands.opened(change.device)
      case 'presence':
        return this.#deps.presence.stored(change)
      case 'reloaded':
        this.#deps.commands.reloaded()
        // Sessions end as those of a node that lost them (mqtt/claims.ts).
        if (this.#deps.store.epoch !== this.#epoch) streams.storeLost()
        this.#epoch = this.#deps.store.epoch
        streams.accountsChanged().catch(failed)
        registry.reloaded().catch(failed)
    }
  }

  /** What a person may do, all who act for them may. */
  #account(person: string): void {
    const { store, registry, streams, failed } = this.#deps
    for (const user of namesOf(store.directory, person)) {
      streams.accountChanged(user).catch(failed)
      registry.accountChanged(user).catch(failed)
    }
  }

  #membership(change: MembershipChange): void {
    const { registry, streams, receipts, info } = this.#deps
    registry.membership(change)
    streams.membership(change)
    if (!change.member) receipts.membershipEnded(change.room, change.user)
    info.changed(change.room)
  }

  /** The room's logs are gone: that it was deleted is told to those who have yet to read what happened before. */
  #roomEnded(room: string, members: readonly string[]): void {
    const last = this.#deps.hub.lastOf(logs.roomEvents(room)) ?? undefined
    for (const user of members) {
      this.#membership({ room, user, member: false, last })
      // There may be another room of that name by now.
      if (this.#deps.store.directory.member(room, user)) this.#membership({ room, user, member: true })
    }
  }
}
