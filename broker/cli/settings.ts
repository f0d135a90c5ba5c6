/** The configuration that a command works with, and its data directory. */
import { accessSync, constants, existsSync } from 'node:fs'
import { type Config, loadConfig } from '../config/config.js'
import { makeDirectory } from '../util/make-directory.js'
import { CommandError } from './report.js'

/** Options of every command that reads the configuration. */
export interface ConfigFlags {
  config?: string
  set?: string[]
}

export function readConfig({ config, set = [] }: ConfigFlags): Config {
  // The password for `chat` is no setting of the broker.
  const { TOPICTALK_PASSWORD: _, ...env } = process.env
  const warn = (text: string): void => void process.stderr.write(`warning: ${text}\n`)
  return loadConfig({ file: config, env, set, warn })
}

/** The file that `readConfig` reads. */
export function configFile({ config }: ConfigFlags): string | null {
  return config ?? (existsSync('config.yaml') ? 'config.yaml' : null)
}

/** Creates the data directory for its owner only, or says in one line why it cannot be used. */
export function ensureDataDir({ node: { dataDir } }: Config): void {
  makeDataDir(dataDir, 'node.dataDir', 'set TOPICTALK_NODE_DATA_DIR')
}

/**
 * @param given Where it was given
 * @param advice What to do instead
 */
export function makeDataDir(dataDir: string, given: string, advice: string): void {
  try {
    makeDirectory(dataDir)
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = REASONS[code ?? ''] ?? message
    throw new CommandError(`${given}: cannot write to ${dataDir}: ${why}; ${advice}`)
  }
}

const REASONS: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOENT: 'it cannot be made there',
  ENOSPC: 'no space is left',
  ENOTDIR: 'part of the path is a file',
  EEXIST: 'it is a file',
}
