/** docs/conformance.md, made of the clauses and of the tests that cite them. */
import type { Citation } from './citations.js'
import { type Clause, SPECIFICATIONS, type Specification } from './clauses.js'

/** How a clause stands. `client`: it binds clients alone; `apart`: nothing of it can be seen from outside, or it does not arise. */
export type Standing = 'held' | 'client' | 'apart' | 'gap'

const CHAPTERS: Record<string, string> = {
  '1.5': 'Data representation',
  '2.1': 'Fixed header',
  '2.2': 'Fixed header, packet ids, properties',
  '2.3': 'Packet ids',
  '3.1': 'CONNECT',
  '3.2': 'CONNACK',
  '3.3': 'PUBLISH',
  '3.4': 'PUBACK',
  '3.5': 'PUBREC',
  '3.6': 'PUBREL',
  '3.7': 'PUBCOMP',
  '3.8': 'SUBSCRIBE',
  '3.9': 'SUBACK',
  '3.10': 'UNSUBSCRIBE',
  '3.11': 'UNSUBACK',
  '3.12': 'PINGREQ',
  '3.14': 'DISCONNECT',
  '3.15': 'AUTH',
  '4.1': 'Session state',
  '4.2': 'Network connections',
  '4.3': 'Quality of service',
  '4.4': 'Delivery again',
  '4.5': 'Message receipt',
  '4.6': 'Order',
  '4.7': 'Topics and filters',
  '4.8': 'Errors (3.1.1), shared subscriptions (5.0)',
  '4.9': 'Flow control',
  '4.12': 'Enhanced authentication',
  '4.13': 'Errors',
  '6.0': 'WebSocket',
  '7.0': 'Conformance',
  '7.1': 'Conformance',
}

export function standingOf(clause: Clause, tests: readonly Citation[]): Standing {
  if (tests.length > 0) return 'held'
  if (clause.untested !== '') return 'apart'
  return clause.binds === 'client' ? 'client' : 'gap'
}

export function conformanceTable(citations: readonly Citation[]): string {
  const byId = grouped(
    citations.filter(({ test }) => test !== ''),
    ({ id }) => id,
  )
  const testsOf = (id: string): Citation[] => byId.get(id) ?? []
  return [
    '# Conformance',
    '',
    'What MQTT demands, clause by clause, and the tests that hold it. Made by `npm run conformance` from',
    '`test/conformance/` and the clauses that tests cite; do not edit. The wording is ours; the specifications have the last word.',
    'Clauses of 5.0 are written `MQTT5-`. A clause that binds clients alone needs no test here, but has one where the broker',
    'answers a breach of it. `—` is a gap.',
    '',
    ...summary(testsOf),
    ...SPECIFICATIONS.flatMap((specification) => chapters(specification, testsOf)),
    ...sections(byId),
    '',
  ].join('\n')
}

type TestsOf = (id: string) => Citation[]

function summary(testsOf: TestsOf): string[] {
  const rows = SPECIFICATIONS.map(({ title, clauses }) => {
    const counts: Record<Standing, number> = { held: 0, client: 0, apart: 0, gap: 0 }
    for (const clause of clauses) counts[standingOf(clause, testsOf(clause.id))]++
    return `| ${title} | ${clauses.length} | ${counts.held} | ${counts.client} | ${counts.apart} | ${counts.gap} |`
  })
  return [
    '| | clauses | held by a test | of clients alone | nothing to test | gaps |',
    '|---|---|---|---|---|---|',
    ...rows,
  ]
}

function chapters({ title, clauses }: Specification, testsOf: TestsOf): string[] {
  const byChapter = grouped(clauses, ({ id }) => /-(\d+\.\d+)/.exec(id)![1]!)
  return [
    '',
    `## ${title}`,
    ...[...byChapter].flatMap(([number, list]) => [
      '',
      `### ${number} ${CHAPTERS[number]}`,
      '',
      '| clause | what it demands | binds | tests |',
      '|---|---|---|---|',
      ...list.map((clause) => row(clause, testsOf(clause.id))),
    ]),
  ]
}

function row(clause: Clause, tests: readonly Citation[]): string {
  const cell = {
    held: () => links(tests),
    apart: () => `none: ${clause.untested}`,
    client: () => 'none: binds clients alone',
    gap: () => '—',
  }[standingOf(clause, tests)]()
  return `| ${clause.id} | ${escaped(clause.demand)} | ${clause.binds} | ${cell} |`
}

/** `file: test; test`, a file a line. */
function links(tests: readonly Citation[]): string {
  const byFile = grouped(tests, ({ file }) => file)
  return [...byFile]
    .map(([file, list]) => {
      const names = [...new Set(list.map(({ test }) => escaped(test)))].join('; ')
      return `[${file.replace(/^test\/|\.test\.ts$/g, '')}](../${file}): ${names}`
    })
    .join('<br>')
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}

/** Demands without a number are cited by their section. */
function sections(byId: ReadonlyMap<string, Citation[]>): string[] {
  const cited = [...byId]
    .filter(([id]) => isSection(id))
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
  return [
    '',
    '## Sections',
    '',
    'What a section says without numbering it.',
    '',
    '| section | tests |',
    '|---|---|',
    ...cited.map(([id, tests]) => `| ${id} | ${links(tests)} |`),
  ]
}

function grouped<T>(list: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const one of list) {
    const key = keyOf(one)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return groups
}

export function isSection(id: string): boolean {
  return !/-\d[\d.]*-\d+$/.test(id)
}
