/** docs/rooms.md shows the table of roles as it is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { allows, PERMISSIONS, ROOM_ROLES } from '../../schemas/permissions.js'

const PAGE = readFileSync(join(fileURLToPath(import.meta.url), '..', '..', '..', '..', 'docs', 'rooms.md'), 'utf8')

t.test('every permission is in docs/rooms.md, with the least role that has it', async (t) => {
  const shown = [...PAGE.matchAll(/^\| may (.*) \| `(\w+)` \|$/gm)].map(([, may, least]) => ({ may, least }))
  t.same(shown, Object.values(PERMISSIONS))
})

t.test('a role may do what the roles below it may', async (t) => {
  const counts = ROOM_ROLES.map(
    (role) => Object.keys(PERMISSIONS).filter((act) => allows(role, act as keyof typeof PERMISSIONS)).length,
  )
  t.same(
    counts,
    [...counts].sort((a, b) => b - a),
  )
  t.equal(counts[0], Object.keys(PERMISSIONS).length, 'an owner everything')
  t.equal(counts[4], 1, 'a reader reads')
})
