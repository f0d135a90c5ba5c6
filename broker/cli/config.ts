import { type ConfigFlags, configFile, readConfig } from './settings.js'

/** `topictalk config check`: a `ConfigError` says what is wrong. */
export function checkConfig(flags: ConfigFlags): void {
  readConfig(flags)
  const file = configFile(flags)
  console.log(file === null ? 'ok: the defaults (there is no config.yaml here)' : `ok: ${file}`)
}
