/** docs/conformance.md is what the tests say, and nobody cites a clause that does not exist. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { citationsIn, citationsOf, ROOT } from '../conformance/citations.js'
import { SPECIFICATIONS } from '../conformance/clauses.js'
import { conformanceTable, isSection } from '../conformance/table.js'

const clauses = SPECIFICATIONS.flatMap((specification) => specification.clauses)

t.test('the clauses are all there, each once', async (t) => {
  t.same(
    SPECIFICATIONS.map((specification) => specification.clauses.length),
    [141, 251],
  )
  t.equal(new Set(clauses.map(({ id }) => id)).size, clauses.length)
})

t.test('docs/conformance.md is current (npm run conformance)', async (t) => {
  const written = readFileSync(join(ROOT, 'docs', 'conformance.md'), 'utf8')
  t.ok(written === conformanceTable(citationsIn('test')), 'as the tests cite now')
})

t.test('no clause is cited that does not exist', async (t) => {
  const known = new Set(clauses.map(({ id }) => id))
  const cited = citationsIn('test', 'broker', 'client', 'schemas')
  t.ok(cited.length > 250, 'the walk found the sources')
  t.same(
    cited.filter(({ id }) => !isSection(id) && !known.has(id)),
    [],
  )
})

t.test('a citation belongs to the test it stands in, and to its case', async (t) => {
  // Under another name, so that this file cites nothing itself.
  const source = `
    /** Sessions [CLAUSE-4.1]. */
    import t from 'tap'
    // Of the next test [CLAUSE-4.4].
    t.test('outer [CLAUSE-3.1.0-1]', async (t) => {
      const cases = { 'a case [CLAUSE5-3.3.1-9…11]': 1 }
      await t.test(\`inner \${x} [CLAUSE-3.1.0-2, CLAUSE-3.1.2-1]\`, async (t) => {
        // Why [CLAUSE5-4.9].
        t.ok(true, '[CLAUSE-3.1.2-2]')
        t.ok(true, 'said so [CLAUSE-3.1.2-3]')
      })
    })
  `.replaceAll('CLAUSE', 'MQTT')
  t.same(
    citationsOf('a.test.ts', source).map(({ id, test }) => `${id.replace('MQTT', '')}: ${test}`),
    [
      '-4.1: ',
      '-4.4: outer',
      '-3.1.0-1: outer',
      '5-3.3.1-9: outer › a case',
      '5-3.3.1-10: outer › a case',
      '5-3.3.1-11: outer › a case',
      '-3.1.0-2: outer › inner …',
      '-3.1.2-1: outer › inner …',
      '5-4.9: outer › inner …',
      '-3.1.2-2: outer › inner …',
      '-3.1.2-3: outer › inner … › said so',
    ],
  )
})
