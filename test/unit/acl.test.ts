import t from 'tap'
import { createAcl } from '../../broker/auth/acl.js'
import { covers, intersection, intersects, matches } from '../../broker/auth/filter-algebra.js'
import type { Principal } from '../../broker/auth/principal.js'
import type { AclRule } from '../../schemas/config.js'
import { filterMatches } from '../../schemas/topics.js'
import fc from '../helpers/fast-check.js'

/** Every topic of up to four levels over an alphabet wider than the filters', so that `+` always has a value of its own. */
const TOPIC_LEVELS = ['a', 'b', '', 'other', 'rooms', '$x']
const DEEPEST = 4
const topics = [...allTopics(DEEPEST)]

function* allTopics(depth: number): Iterable<string[]> {
  if (depth === 0) return
  for (const level of TOPIC_LEVELS) yield [level]
  for (const rest of allTopics(depth - 1)) for (const level of TOPIC_LEVELS) yield [level, ...rest]
}

const level = fc.constantFrom('a', 'b', '', '+', '+', 'rooms', '$x')
const filter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.constantFrom('', '', '#', 'alone'))
  .map(([levels, end]) => (end === 'alone' ? ['#'] : end === '#' ? [...levels, '#'] : levels))

const runs = { numRuns: 1500, seed: 1 }

t.test('a filter matches by the rules of the topic grammar', async (t) => {
  fc.assert(
    fc.property(filter, (f) =>
      topics.every((topic) => matches(f, topic) === filterMatches(f.join('/'), topic.join('/'))),
    ),
    { numRuns: 200, seed: 1 },
  )
  t.pass()
})

t.test('covers: every topic of the one is a topic of the other', async (t) => {
  fc.assert(
    fc.property(filter, filter, (a, b) => {
      const expected = topics.every((topic) => !matches(b, topic) || matches(a, topic))
      return covers(a, b) === expected
    }),
    runs,
  )
  t.pass()
})

t.test('intersection: exactly the topics of both', async (t) => {
  fc.assert(
    fc.property(filter, filter, (a, b) => {
      const common = intersection(a, b)
      const both = topics.filter((topic) => matches(a, topic) && matches(b, topic))
      if (common === null) return both.length === 0 && !intersects(a, b)
      return intersects(a, b) && topics.filter((topic) => matches(common, topic)).length === both.length
    }),
    runs,
  )
  t.pass()
})

t.test('a first-level wildcard reaches neither reserved levels nor $ topics', async (t) => {
  for (const reserved of ['rooms/r/messages', 'users/u/events', 'devices/d/x', 'broadcast/b', '$SYS/uptime', '$x']) {
    const levels = reserved.split('/')
    t.notOk(covers(['#'], levels), reserved)
    t.notOk(intersects(['#'], levels), reserved)
    t.notOk(intersects(levels, ['+', '#']), reserved)
  }
  t.ok(covers(['devices', '#'], ['devices']), 'a/# matches a')
  t.ok(covers(['+', '#'], ['#']), 'every topic has a first level')
  t.notOk(covers(['a', '+', '#'], ['a', '#']))
})

const ann = principal('ann', ['operator'])
const bob = principal('bob')
const nobody: Principal = { user: 'anonymous', roles: new Set(), anonymous: true, expiresAt: null }

function principal(user: string, roles: string[] = []): Principal {
  return { user, roles: new Set(roles), anonymous: false, expiresAt: null }
}

t.test('without a matching rule everything is denied', async (t) => {
  for (const acl of [createAcl([]), createAcl([{ allow: 'all', who: 'any', topics: ['b'] }])]) {
    t.notOk(acl.mayPublish(ann, 'c', 'a'))
    t.notOk(acl.mayReceive(ann, 'c', 'a'))
    t.equal(acl.maySubscribe(ann, 'c', 'a'), 'none')
  }
})

t.test('the first rule that matches decides', async (t) => {
  const acl = createAcl([
    { deny: 'publish', who: 'any', topics: ['a/secret', 'a/hidden/#'] },
    { allow: 'all', who: 'any', topics: ['a/#'] },
    { deny: 'all', who: 'any', topics: ['a/b'] },
  ])
  t.notOk(acl.mayPublish(ann, 'c', 'a/secret'))
  t.notOk(acl.mayPublish(ann, 'c', 'a/hidden/x/y'))
  t.ok(acl.mayReceive(ann, 'c', 'a/secret'), 'a rule about publishing says nothing about receiving')
  t.ok(acl.mayPublish(ann, 'c', 'a/b'))
})

t.test('rules speak to any, anonymous, a user or a role', async (t) => {
  const acl = createAcl([
    { allow: 'all', who: 'any', topics: ['any'] },
    { allow: 'all', who: 'anonymous', topics: ['anonymous'] },
    { allow: 'all', who: 'user:ann', topics: ['ann'] },
    { allow: 'all', who: 'role:operator', topics: ['operator'] },
  ])
  const allowed = (who: Principal): string[] =>
    ['any', 'anonymous', 'ann', 'operator'].filter((topic) => acl.mayPublish(who, 'c', topic))
  t.strictSame(allowed(ann), ['any', 'ann', 'operator'])
  t.strictSame(allowed(bob), ['any'])
  t.strictSame(allowed(nobody), ['any', 'anonymous'])
})

t.test('{user} and {client} stand for the one who asks', async (t) => {
  const acl = createAcl([{ allow: 'all', who: 'any', topics: ['f/{user}/{client}/#', 'devices/hub-{user}/+'] }])
  t.ok(acl.mayPublish(ann, 'c1', 'f/ann/c1/x'))
  t.notOk(acl.mayPublish(ann, 'c2', 'f/ann/c1/x'), 'another client of the same principal')
  t.notOk(acl.mayPublish(bob, 'c1', 'f/ann/c1/x'))
  t.ok(acl.mayPublish(ann, 'c1', 'devices/hub-ann/x'))
  t.equal(acl.maySubscribe(ann, 'c1', 'f/ann/c1/+'), 'all')
})

t.test('a {user} or {client} that could change the filter matches nothing', async (t) => {
  const acl = createAcl([{ allow: 'all', who: 'any', topics: ['f/{client}/x', 'g/{user}/#', 'h'] }])
  for (const clientId of ['+', '#', 'a/b', 'a+', '#b', '']) {
    t.notOk(acl.mayPublish(ann, clientId, `f/${clientId}/x`), clientId)
    t.equal(acl.maySubscribe(ann, clientId, 'f/+/x'), 'none', clientId)
    t.ok(acl.mayPublish(ann, clientId, 'h'), 'other topics of the rule stand')
  }
  t.notOk(acl.mayPublish(ann, '{user}', 'f/ann/x'), 'what is filled in is not filled in again')
})

t.test('a user or client named like a reserved level gets nothing of it', async (t) => {
  const acl = createAcl([{ allow: 'all', who: 'any', topics: ['{user}/#', '{client}/#', 'x{user}/#'] }])
  for (const name of ['devices', 'rooms', 'users', 'broadcast', '$SYS']) {
    t.notOk(acl.mayPublish(principal(name), 'c', `${name}/d/x`), name)
    t.notOk(acl.mayPublish(ann, name, `${name}/d/x`), name)
    t.equal(acl.maySubscribe(principal(name), name, `${name}/#`), 'none')
  }
  t.ok(acl.mayPublish(principal('devices'), 'c', 'xdevices/a'))
})

t.test('a subscription is all, some or none of what rules allow', async (t) => {
  const acl = createAcl([
    { deny: 'subscribe', who: 'any', topics: ['f/secret'] },
    { allow: 'subscribe', who: 'any', topics: ['f/+', 'g/#'] },
    { deny: 'all', who: 'any', topics: ['g/x/#', 'i/#'] },
    { allow: 'all', who: 'any', topics: ['i/a', 'devices/d/#'] },
    { deny: 'all', who: 'any', topics: ['j/x'] },
    { allow: 'all', who: 'any', topics: ['j/x'] },
  ])
  const ask = (filter: string): string => acl.maySubscribe(ann, 'c', filter)
  t.equal(ask('g/x/y'), 'all', 'the first rule that covers it allows')
  t.equal(ask('f/secret'), 'none')
  t.equal(ask('f/a'), 'all')
  t.equal(ask('f/+'), 'some', 'but for f/secret')
  t.equal(ask('f/#'), 'some')
  t.equal(ask('#'), 'some')
  t.equal(ask('i/a'), 'none', 'the allowing rule comes too late')
  t.equal(ask('i/+'), 'none')
  t.equal(ask('j/+'), 'none', 'the one topic it could allow is denied before')
  t.equal(ask('devices/d/temp'), 'all')
  t.equal(ask('devices/+/temp'), 'some')
  t.equal(ask('devices/e/#'), 'none')
  t.equal(ask('$SYS/#'), 'none')
  t.equal(ask('$share/g/f/a'), 'none', 'the caller takes the share name off')
})

t.test('a covering deny refuses even what an earlier rule allows in part, as the design says', async (t) => {
  const acl = createAcl([
    { allow: 'all', who: 'any', topics: ['a/b'] },
    { deny: 'all', who: 'any', topics: ['a/#'] },
  ])
  t.equal(acl.maySubscribe(ann, 'c', 'a/+'), 'none')
  t.equal(acl.maySubscribe(ann, 'c', 'a/b'), 'all')
})

t.test('what maySubscribe says agrees with what mayReceive does', async (t) => {
  const open = filter.filter(([first]) => first !== 'rooms' && first !== '$x')
  const rule = fc
    .tuple(fc.boolean(), fc.array(open, { minLength: 1, maxLength: 2 }))
    .map(([allow, filters]): AclRule => {
      const topics = filters.map((levels) => levels.join('/') || 'a')
      return allow ? { allow: 'all', who: 'any', topics } : { deny: 'all', who: 'any', topics }
    })
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 4 }), filter, (rules, wanted) => {
      const acl = createAcl(rules)
      const answer = acl.maySubscribe(ann, 'c', wanted.join('/'))
      const received = topics
        .filter((topic) => matches(wanted, topic))
        .map((topic) => acl.mayReceive(ann, 'c', topic.join('/')))
      if (answer === 'all') return received.every((may) => may)
      const firstCovering = rules.find((r) => r.topics.some((topic) => covers(topic.split('/'), wanted)))
      if (answer === 'none') return firstCovering?.deny !== undefined || !received.some((may) => may)
      return firstCovering?.deny === undefined
    }),
    { numRuns: 1000, seed: 1 },
  )
  t.pass()
})

t.test('rules that cannot be meant are refused at the start, by number', async (t) => {
  const refused = (rule: Partial<AclRule>, why: RegExp): void => {
    const good: AclRule = { allow: 'all', who: 'any', topics: ['ok'] }
    const bad = { who: 'any', topics: ['x'], ...rule } as AclRule
    t.throws(() => createAcl([good, bad]), { name: 'ConfigError', message: why })
  }
  refused({}, /^acl\.rules\[1\]: needs allow or deny/)
  refused({ allow: 'all', deny: 'all' }, /^acl\.rules\[1\]: needs allow or deny, and not both/)
  for (const who of ['ann', 'user:', 'user:a b', 'user:anonymous', 'role:', 'everyone'])
    refused({ allow: 'all', who }, /^acl\.rules\[1\]\.who: expected any, anonymous, user:NAME or role:NAME/)
  for (const topic of [
    'a+',
    '#/a',
    'a/{usr}',
    'a/{',
    'rooms/lobby/#',
    'users/{user}/events',
    'broadcast/#',
    '$SYS/#',
    '',
  ])
    refused({ allow: 'all', topics: ['ok', topic] }, /^acl\.rules\[1\]\.topics\[1\]: /)
})
