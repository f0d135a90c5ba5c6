/** Opens the log: JSON, one object a line; on a terminal, readable lines. */
import pino, { type DestinationStream, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from '../../schemas/config.js'
import { logError, logFields } from './log-text.js'

/** @param to Where lines are written; default: standard error or output, as `log.output` says. */
export function openLog({ level, format, output }: Config['log'], to?: DestinationStream): Logger {
  const stream = output === 'stdout' ? process.stdout : process.stderr
  const forPeople = format === 'pretty' || (format === 'auto' && to === undefined && stream.isTTY === true)
  const settings = { level, base: null, formatters: { log: logFields }, serializers: { err: logError } }
  return pino(settings, forPeople ? prettyStream(to ?? stream) : (to ?? pino.destination(stream.fd)))
}

function prettyStream(destination: DestinationStream): DestinationStream {
  const colorize = 'isTTY' in destination && destination.isTTY === true && process.env['NO_COLOR'] === undefined
  return pretty({
    destination: destination as NodeJS.WritableStream,
    colorize,
    sync: true,
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
  })
}
