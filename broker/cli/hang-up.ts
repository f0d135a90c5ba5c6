/** The end of a command whose terminal is gone. */
import { writeSync } from 'node:fs'

/** At its end Node resets the terminal. Where that is gone it would abort, and leave a dump of its memory: SIGHUP ends it before. */
export function hangUpWithTerminal(): void {
  process.on('exit', () => {
    if (![0, 1, 2].some(isGone)) return
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  })
}

/** Nothing is written; but a terminal that is gone refuses even that. */
function isGone(fd: number): boolean {
  try {
    writeSync(fd, '')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EIO'
  }
}
