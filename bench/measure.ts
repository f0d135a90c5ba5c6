/** What is measured of processes, from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks a second in /proc/<pid>/stat (USER_HZ: 100 on every Linux that Node runs on). */
const TICKS = 100

/** Seconds of CPU that a process and those it has started have used: user and system, all threads. */
export function cpuSeconds(pid: number): number {
  return sumOf(pid, cpuOf)
}

/** Resident memory of the same, in bytes. */
export function residentBytes(pid: number): number {
  return sumOf(pid, residentOf)
}

/** The most memory that one process had resident so far, in bytes. */
export function peakBytes(pid: number): number {
  return statusOf(pid, 'VmHWM')
}

function cpuOf(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** What follows the name, which is in parentheses and may hold spaces: utime and stime are the 12th and 13th field of it. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function residentOf(pid: number): number {
  return statusOf(pid, 'VmRSS')
}

/** Bytes; 0 of a process that has ended, and that nobody has waited for. */
function statusOf(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
}

/** Some brokers are started by a script, and are its children. */
export function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const list = ifThere(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')) ?? ''
    return list.split(' ').filter(Boolean).map(Number)
  })
  return [pid, ...children.flatMap((child) => ifThere(() => familyOf(child)) ?? [])]
}

/** Of a process, which has to be there, and of those it has started, which come and go. */
function sumOf(pid: number, of: (pid: number) => number): number {
  const [, ...started] = familyOf(pid)
  return started.reduce((total, one) => total + (ifThere(() => of(one)) ?? 0), of(pid))
}

/** Null: the process or thread has ended since it was listed. */
function ifThere<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
