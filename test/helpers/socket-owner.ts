/** Whose a TCP connection on this machine is, as Linux tells. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Columns of a line of /proc/net/tcp (proc_pid_net(5)). */
const LOCAL_ADDRESS = 1
const INODE = 9

/** Which of the processes has the IPv4 socket that is bound to this port. Null: none of them, or it is closed. */
export async function ownerOfPort(port: number, pids: readonly number[]): Promise<number | null> {
  const inode = await inodeOf(port)
  if (inode === null) return null
  for (const pid of pids) if (await hasOpen(pid, `socket:[${inode}]`)) return pid
  return null
}

async function inodeOf(port: number): Promise<string | null> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
  return lines.find((columns) => columns[LOCAL_ADDRESS]?.endsWith(suffix))?.[INODE] ?? null
}

async function hasOpen(pid: number, target: string): Promise<boolean> {
  const directory = `/proc/${pid}/fd`
  const files = await readdir(directory).catch(() => [])
  const targets = await Promise.all(files.map((file) => readlink(join(directory, file)).catch(() => '')))
  return targets.includes(target)
}
