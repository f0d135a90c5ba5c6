/** What the two specifications demand, clause by clause. Ids of 3.1.1 begin with MQTT-, those of 5.0 with MQTT5-. */
import { CLAUSES_5 } from './clauses5.js'
import { CLAUSES_311 } from './clauses311.js'

export interface Clause {
  readonly id: string
  readonly binds: 'server' | 'client' | 'both'
  readonly demand: string
  /** Why no test from outside can tell; empty where one can. */
  readonly untested: string
}

export interface Specification {
  readonly title: string
  readonly clauses: readonly Clause[]
}

export const SPECIFICATIONS: readonly Specification[] = [
  { title: 'MQTT 3.1.1', clauses: read('MQTT', CLAUSES_311) },
  { title: 'MQTT 5.0', clauses: read('MQTT5', CLAUSES_5) },
]

function read(prefix: string, table: string): Clause[] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [number = '', binds = '', demand = '', untested = ''] = line.split('|').map((cell) => cell.trim())
      if (!/^(\d+\.)+\d+-\d+$/.test(number) || !/^(server|client|both)$/.test(binds) || demand === '')
        throw new Error(`not a clause: ${line}`)
      return { id: `${prefix}-${number}`, binds: binds as Clause['binds'], demand, untested }
    })
}
