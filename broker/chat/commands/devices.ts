import type { BRIDGE_COMMANDS } from '../../../schemas/commands/bridges.js'
import type { DEVICE_COMMANDS } from '../../../schemas/commands/devices.js'
import type { BridgeRecord, DeviceCommandRecord, DeviceRecord } from '../../store/devices.js'
import type { Store } from '../../store/store.js'
import type { Bridges } from '../devices/bridges.js'
import type { DeviceCommands } from '../devices/device-commands.js'
import type { DeviceOffers } from '../devices/device-offers.js'
import type { DeviceRules } from '../devices/device-rules.js'
import type { Devices } from '../devices/devices.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'
import type { Handlers } from './table.js'

export interface DeviceCommandDeps {
  readonly store: Pick<Store, 'directory'>
  readonly rules: DeviceRules
  readonly devices: Devices
  readonly offers: DeviceOffers
  readonly commands: DeviceCommands
  readonly bridges: Bridges
}

export function deviceCommands(
  deps: DeviceCommandDeps,
): Handlers<keyof typeof DEVICE_COMMANDS | keyof typeof BRIDGE_COMMANDS> {
  const { rules, devices, offers, commands, bridges } = deps
  const records = deps.store.directory.devices
  const shown = (actor: Actor, record: DeviceRecord) => {
    const { device, owner, name, createdAt } = record
    return { device, owner, name, createdAt, may: rules.may(requireUser(actor), device) ?? 'own' }
  }
  return {
    'devices.register': async (actor, { device, name = null }) => {
      const { record, key } = await devices.register(actor, device, name)
      return JSON.stringify({ device: shown(actor, record), key })
    },
    'devices.list': async (actor, { after = '', limit = 100 }) => {
      const me = requireUser(actor)
      const names = [...records.ownedBy(me).keys(), ...records.sharedWith(me).keys()]
      const page = names.filter((device) => device > after).sort()
      const all = page.slice(0, limit).map((device) => shown(actor, records.get(device)!))
      return JSON.stringify({ devices: all, more: page.length > limit })
    },
    'devices.get': async (actor, { device }) => {
      const record = rules.require(actor, device, 'read')
      const owns = isAdmin(actor) || record.owner === requireUser(actor)
      const shares = owns ? [...records.shares.of(device).values()].map(({ device: _, ...share }) => share) : []
      const bridges = owns ? [...records.bridges.of(device).values()].map(shownBridge) : []
      return JSON.stringify({ ...shown(actor, record), shares, bridges })
    },
    'devices.key': async (actor, { device }) => JSON.stringify({ device, key: await devices.key(actor, device) }),
    'devices.remove': (actor, { device }) => devices.remove(actor, device).then(nothing),
    'devices.transfer': async (actor, { device, user }) => JSON.stringify(await offers.transfer(actor, device, user)),
    'devices.offers': async (actor, { after = '', limit = 100 }) => {
      const all = [...records.offeredTo(requireUser(actor)).values()].filter(({ device }) => device > after)
      const page = all.sort((a, b) => (a.device < b.device ? -1 : 1))
      const shown = page.slice(0, limit).map(({ device, by, at }) => {
        return { device, name: records.get(device)?.name ?? null, by, at }
      })
      return JSON.stringify({ offers: shown, more: page.length > limit })
    },
    'devices.accept': async (actor, { device }) => {
      const { record, key } = await offers.accept(actor, device)
      return JSON.stringify({ device: shown(actor, record), key })
    },
    'devices.decline': (actor, { device }) => offers.decline(actor, device).then(nothing),
    'devices.share': (actor, { device, user, may }) => devices.share(actor, device, user, may).then(nothing),
    'devices.unshare': (actor, { device, user }) => devices.unshare(actor, device, user).then(nothing),
    'devices.bridge': async (actor, { device, filter, room, template = null }) =>
      JSON.stringify(shownBridge(await bridges.create(actor, device, { filter, room, template }))),
    'devices.unbridge': (actor, { device, bridge }) => bridges.remove(actor, device, bridge).then(nothing),
    'devices.command': async (actor, { device, ...request }) =>
      JSON.stringify(command((await commands.send(actor, device, request)).record)),
    'devices.commands': async (actor, { device, before, limit = 50 }) => {
      rules.require(actor, device, 'read')
      const page = await commands.list(device, before, limit)
      return JSON.stringify({ ...page, commands: page.commands.map(command) })
    },
  }
}

function command({ deliveredAt, finishedAt, ...record }: DeviceCommandRecord) {
  return { ...record, deliveredAt: deliveredAt || null, finishedAt: finishedAt || null }
}

function nothing(): string {
  return '{}'
}

function shownBridge({ device: _, ...bridge }: BridgeRecord) {
  return { bridge: bridge.id, ...bridge }
}
