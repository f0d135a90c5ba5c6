/** `topictalk backup DIRECTORY`. */
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { auditedCommands } from '../admin/audited-commands.js'
import { type BackupStatus, Backups, backupCommands } from '../admin/backups.js'
import { callAdmin } from '../admin/control-socket.js'
import { Audit } from '../chat/model/audit.js'
import { printLine } from './output.js'
import { CommandError } from './report.js'
import { type ConfigFlags, readConfig } from './settings.js'

/** Milliseconds between polls of the progress. */
const LOOK_EVERY = 250

export async function backUp(directory: string, flags: ConfigFlags): Promise<void> {
  const config = readConfig(flags)
  const { dataDir } = config.node
  const params = { directory: resolve(directory) }
  const started = await callAdmin(dataDir, 'backup.start', params)
  const bytes =
    started === 'not_running'
      ? await backUpStore(config, params)
      : await watch(() => callAdmin(dataDir, 'backup.status'))
  printLine(`backed up to ${params.directory} (${megabytes(bytes)})`)
}

/** Backs up a data directory that no broker has open. */
async function backUpStore(config: Config, params: object): Promise<number> {
  const { dataDir } = config.node
  const { mayBeStored, openStore, storeLocation } = await import('../wiring/storage.js')
  if (!mayBeStored(config))
    throw new CommandError(`node.dataDir: there is no store in ${dataDir}; nothing has been stored yet`)
  const { store } = await openStore(config)
  const failed = (): void => {}
  const backups = new Backups({ store, dataDir, locate: storeLocation, failed })
  try {
    await auditedCommands(backupCommands(backups), new Audit(store))['backup.start']!(params)
    return await watch(async () => backups.status)
  } finally {
    await backups.close()
    await store.close()
  }
}

/** Resolves with the bytes copied when it is done. */
async function watch(look: () => Promise<unknown>): Promise<number> {
  while (true) {
    const status = await look()
    if (status === 'not_running') throw new CommandError('the broker was stopped before the backup was done')
    const { bytes, done, error } = status as BackupStatus
    show(done ? '' : `${megabytes(bytes)} copied`)
    if (error) throw new Refusal(error.code, error.message)
    if (done) return bytes
    await pause(LOOK_EVERY)
  }
}

/** On a terminal, overwrites the line. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
