/** What is measured of processes, from /proc. */
import { readFileSync } from 'node:fs'

/** What one broker did in one cell, in the measured time. */
export interface Result {
  readonly cell: string
  readonly peer: string
  readonly deliveries: number
  readonly published: number
  /** Wall clock. */
  readonly seconds: number
  readonly brokerCpu: number
  readonly loadCpu: number
  readonly deliveriesPerCpuSecond: number
  readonly residentBytes: number
}

/** Clock ticks a second in /proc/<pid>/stat (USER_HZ: 100 on every Linux that Node runs on). */
const TICKS = 100

/** Seconds of CPU that a process has used: user and system, all threads. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024
}
