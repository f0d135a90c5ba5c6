/** What the bench is asked for on its command line. */
import { parseArgs } from 'node:util'
import type { Peer } from './peers/peer.js'
import type { Options, Suite } from './suite.js'

/** Not as given; the message is all there is to say. */
export class UsageError extends Error {}

export interface Wanted {
  readonly options: Options
  readonly suites: readonly Suite[]
  readonly peers: readonly Peer[]
  /** Only cells whose name contains it. */
  readonly cells: string
  readonly out: string | undefined
}

const FLAGS = {
  help: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  seconds: { type: 'string' },
  scale: { type: 'string' },
  workers: { type: 'string', default: '1' },
  cells: { type: 'string', default: '' },
  peers: { type: 'string' },
  rooms: { type: 'string' },
  members: { type: 'string' },
  window: { type: 'string' },
  out: { type: 'string' },
} as const

export function usage(suites: readonly Suite[], peers: readonly Peer[]): string {
  return `npm run bench -- [suite…] [options]

Suites: all, ${namesOf(suites)};
without one: throughput
Brokers: ${namesOf(peers)}

  --quick              3 seconds a cell in place of 20, and sizes a tenth of what they are
  --seconds N          measured in a cell, after a time to warm up
  --scale N            of numbers of clients and messages; 1 is 10,000 connections, 10,000 × 100 messages and so on
  --workers N          processes that make the load, where it can be split; default 1
  --cells TEXT         only cells whose name contains TEXT
  --peers A,B          only these brokers
  --rooms N --members N --window N    instead of a throughput cell's own
  --out FILE.json      results; a report and plots go beside them; default bench/results/<time>.json`
}

/** Null: help is wanted. */
export function readFlags(args: string[], all: readonly Suite[], known: readonly Peer[]): Wanted | null {
  const { values: flags, positionals } = parsed(args)
  if (flags.help) return null
  const number = (name: 'seconds' | 'scale' | 'workers' | 'rooms' | 'members' | 'window'): number | undefined => {
    const text = flags[name]
    if (text === undefined) return undefined
    if (!(Number(text) > 0)) throw new UsageError(`--${name}: expected a number above 0, not ${text}`)
    return Number(text)
  }
  const [rooms, members, window] = [number('rooms'), number('members'), number('window')]
  const names = positionals.length === 0 ? ['throughput'] : positionals
  return {
    options: {
      seconds: number('seconds') ?? (flags.quick ? 3 : 20),
      scale: number('scale') ?? (flags.quick ? 0.1 : 1),
      workers: number('workers')!,
      ...(rooms && { rooms }),
      ...(members && { members }),
      ...(window && { window }),
    },
    suites: names.includes('all') ? all : names.map((name) => named('suite', name, all)),
    peers: flags.peers ? flags.peers.split(',').map((name) => named('broker', name, known)) : known,
    cells: flags.cells,
    out: flags.out,
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: FLAGS })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0])
  }
}

function named<T extends { readonly name: string }>(kind: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (!found) throw new UsageError(`there is no ${kind} ${name}; there are ${namesOf(all)}`)
  return found
}

function namesOf(all: readonly { readonly name: string }[]): string {
  return all.map(({ name }) => name).join(', ')
}
