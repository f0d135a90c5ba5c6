import { type ChildProcess, spawn } from 'node:child_process'

/**
 * Kills the child when this process is gone, however it went: nothing of ours runs when we are killed, but then a pipe is closed, which this shell reads.
 * It is not killed with our group.
 */
export function endWithUs(child: ChildProcess): void {
  const watch = spawn('/bin/sh', ['-c', 'read nothing; kill -9 "$0"', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.once('exit', () => watch.kill('SIGKILL'))
}
