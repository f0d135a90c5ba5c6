/** Devices: whose they are, what they are asked to do, and the rooms they speak in. */
import type { Config } from '../../../schemas/config.js'
import { Bridges, type BridgesDeps } from '../devices/bridges.js'
import { DeviceCommands, type DeviceCommandsDeps } from '../devices/device-commands.js'
import { DeviceOffers } from '../devices/device-offers.js'
import { DeviceRules } from '../devices/device-rules.js'
import { DeviceTopics, type DeviceTopicsDeps } from '../devices/device-topics.js'
import { Devices, type DevicesDeps } from '../devices/devices.js'
import { whoRegisters } from '../devices/who-registers.js'

export type DevicesMadeFrom = Omit<DevicesDeps, 'rules' | 'options' | 'registeredBy'> &
  Omit<DeviceCommandsDeps & DeviceTopicsDeps & BridgesDeps, 'rules' | 'commands' | 'bridges' | 'topicLevels'>

export function makeDevices(config: Config, deps: DevicesMadeFrom) {
  const rules = new DeviceRules(deps.store.directory.devices)
  const commands = new DeviceCommands({ ...deps, rules })
  const bridges = new Bridges({ ...deps, rules, topicLevels: config.limits.topicLevels })
  const topics = new DeviceTopics({ ...deps, rules, commands, bridges })
  const made = { ...deps, rules, options: config.devices, registeredBy: () => whoRegisters(config) }
  return { rules, commands, bridges, topics, devices: new Devices(made), offers: new DeviceOffers(made) }
}

export type DeviceServices = ReturnType<typeof makeDevices>
