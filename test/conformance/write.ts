/** `npm run conformance`: writes docs/conformance.md. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { citationsIn, ROOT } from './citations.js'
import { conformanceTable } from './table.js'

writeFileSync(join(ROOT, 'docs', 'conformance.md'), conformanceTable(citationsIn('test')))
