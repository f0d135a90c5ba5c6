/** Devices: whose they are, what they are asked to do, and the rooms they speak in. */
import type { Config } from '../../../schemas/config.js'
import { Bridges, type BridgesParts } from '../devices/bridges.js'
import { DeviceCommands, type DeviceCommandsParts } from '../devices/device-commands.js'
import { DeviceOffers } from '../devices/device-offers.js'
import { DeviceRules } from '../devices/device-rules.js'
import { DeviceTopics, type DeviceTopicsParts } from '../devices/device-topics.js'
import { Devices, type DevicesParts } from '../devices/devices.js'

export type DevicesMadeFrom = Omit<DevicesParts, 'rules' | 'options' | 'registration'> &
  Omit<DeviceCommandsParts & DeviceTopicsParts & BridgesParts, 'rules' | 'commands' | 'bridges' | 'topicLevels'>

export function makeDevices(config: Config, parts: DevicesMadeFrom) {
  const rules = new DeviceRules(parts.store.directory.devices)
  const commands = new DeviceCommands({ ...parts, rules })
  const bridges = new Bridges({ ...parts, rules, topicLevels: config.limits.topicLevels })
  const topics = new DeviceTopics({ ...parts, rules, commands, bridges })
  const registration = () => config.auth.registration
  const made = { ...parts, rules, options: config.devices, registration }
  return { rules, commands, bridges, topics, devices: new Devices(made), offers: new DeviceOffers(made) }
}

export type DeviceParts = ReturnType<typeof makeDevices>
