import { configWarnings, tryConfig } from '../config/trial.js'
import { printError, printLine } from './output.js'
import { type ConfigFlags, configFile, readConfig } from './settings.js'

/** `topictalk config check`: throws the same `ConfigError` as `serve`. */
export async function checkConfig(flags: ConfigFlags): Promise<void> {
  const config = readConfig(flags)
  await tryConfig(config)
  for (const warning of configWarnings(config)) printError(`topictalk: warning: ${warning}`)
  const { storeAdvice } = await import('../wiring/storage.js')
  const advice = await storeAdvice(config)
  if (advice !== null) printError(`topictalk: warning: ${advice}`)
  const file = configFile(flags)
  printLine(file === null ? 'ok: the defaults (there is no config.yaml here)' : `ok: ${file}`)
}
