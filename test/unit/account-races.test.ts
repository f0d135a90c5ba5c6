/** Acts on an account at the same time on two nodes: one wins, and the other sees why. Nothing is left to the next owner of a name. */
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { versionOf } from '../../broker/auth/account-version.js'
import { Accounts } from '../../broker/auth/accounts.js'
import { Keys } from '../../broker/auth/keys.js'
import { LoginCodes } from '../../broker/auth/login-codes.js'
import { Logins } from '../../broker/auth/logins.js'
import { PasswordResets } from '../../broker/auth/password-resets.js'
import { Passwords } from '../../broker/auth/passwords.js'
import { Registration } from '../../broker/auth/registration.js'
import { SecondFactors } from '../../broker/auth/second-factor.js'
import { SecretBox } from '../../broker/auth/secret-box.js'
import { hashSecret, writeSecret } from '../../broker/auth/secrets.js'
import { NetworkThrottle } from '../../broker/auth/throttle.js'
import { requireValid, type Verified } from '../../broker/auth/validity.js'
import { accountDataCommands } from '../../broker/chat/commands/account-data.js'
import { type BotCommandDeps, botCommands } from '../../broker/chat/commands/bots.js'
import { contactCommands } from '../../broker/chat/commands/contacts.js'
import { notificationSettingsCommands } from '../../broker/chat/commands/notification-settings.js'
import { privacyCommands } from '../../broker/chat/commands/privacy.js'
import { type PeopleCommandDeps, userCommands } from '../../broker/chat/commands/users.js'
import { Exports } from '../../broker/chat/exports/exports.js'
import type { Actor } from '../../broker/chat/model/actor.js'
import { AskLimits } from '../../broker/chat/model/ask-limits.js'
import { commit } from '../../broker/store/commit.js'
import type { CredentialRecord } from '../../broker/store/credentials.js'
import type { Store } from '../../broker/store/store.js'
import { keyOf } from '../../broker/store/tables.js'
import { codeOf } from '../helpers/authenticator-app.js'
import { actorOf, openStore, overtaken, raced } from '../helpers/node-pair.js'

const hashing = new Passwords({ concurrency: 2 })
const secretBox = new SecretBox(createSecretKey(randomBytes(32)))

/** Accounts as a node serves them. */
function node(store: Store) {
  const accounts = new Accounts(store, hashing)
  const ended = (): void => {}
  const limits = { attempts: 100, window: 60 }
  const keys = new Keys({ store, perUser: 2, ended })
  const presence = {
    updateVisibility: <T>(_: string, __: string, work: () => Promise<T>) => work(),
    audienceChanged: () => {},
    set: () => {},
  }
  const people = { store, presence, askLimits: new AskLimits(100) }
  const asking = people as unknown as PeopleCommandDeps
  const remove = (user: string) => accounts.remove(user)
  const bots = { store, accounts, keys, remove, botsPerUser: 1 } as unknown as BotCommandDeps
  return {
    ...{ store, accounts, keys },
    logins: new Logins({ store, sign: async () => '', lifetimes: { token: 60, refresh: 60 }, grace: 0, ended }),
    resets: new PasswordResets({
      ...{ store, accounts, throttle: new NetworkThrottle(store, 'resetFailuresFrom', limits) },
    }),
    registration: new Registration({
      ...{ store, accounts, mode: () => 'invite' as const },
      throttle: new NetworkThrottle(store, 'registrationsFrom', limits),
    }),
    factors: new SecondFactors({ store, secretBox, limits: { attempts: 2, window: 60_000 } }),
    codes: new LoginCodes(store),
    exports: new Exports({ store, isValid: async () => true, httpEnabled: true, accountOf: (user) => user }),
    ...{ ...botCommands(bots), ...userCommands(asking), ...contactCommands(asking), ...privacyCommands(people) },
    ...notificationSettingsCommands(store),
    ...accountDataCommands(store, { accountDataValues: 2, accountDataValueBytes: 99, accountDataBytes: 99 }),
  }
}

type Node = ReturnType<typeof node>
type Act<Known> = (node: Node, known: Known) => Promise<unknown>

interface Race<Known> {
  /** Before both. */
  readonly before: (node: Node) => Promise<Known>
  readonly first: Act<Known>
  readonly second: Act<Known>
  /** What the second comes to. */
  readonly outcome: unknown
  /** What is there in the end. */
  readonly check?: (t: Test, node: Node, known: Known) => Promise<unknown>
}

const nothing = async (): Promise<null> => null
const race = <Known>(one: Race<Known>): Race<unknown> => one as Race<unknown>

/** Ann as she was when she was verified. */
const verify = async ({ accounts }: Node): Promise<Verified> => ({
  user: 'ann',
  account: versionOf(await accounts.ensure('ann')),
})
const asVerified = (verified: Verified): Actor => {
  const actor = actorOf(verified.user)
  return { ...actor, principal: { ...actor.principal, ...verified, issuedAt: Date.now() } }
}
const remove =
  (user: string): Act<unknown> =>
  ({ accounts }) =>
    accounts.remove(user)
const setPassword: Act<unknown> = ({ accounts }) => accounts.setPassword('ann', 'another-pw')
const newKey = { name: 'k', roles: null, expiresIn: null }
const [ann, bob] = [actorOf('ann'), actorOf('bob')]
const gone = 'unauthorized'

const begin: Act<Verified> = ({ logins }, verified) => logins.begin(verified)
const login = async (one: Node) => one.logins.begin(await verify(one))
const renew: Act<{ refreshToken: string }> = ({ logins }, { refreshToken }) => logins.renew(refreshToken)
const reset = async ({ resets }: Node) => (await resets.create('ann', 60)).token
const useReset: Act<string> = ({ resets }, token) => resets.use(token, 'the-third-pw', '::1')
const invite = async ({ registration }: Node) => (await registration.invite('bob', 1, 60)).invite
const register =
  (user: string): Act<string> =>
  ({ registration }, invite) =>
    registration.register({ user, password: 'cy-secret', invite, address: '::1' })
const factor = async (one: Node) => (await one.factors.begin(await verify(one))).secret
const confirmed = async (one: Node) => {
  const secret = await factor(one)
  await one.factors.confirm({ user: 'ann' }, codeOf(secret))
  return codeOf(secret, 1)
}
const wrongCode = ({ factors }: Node) => factors.check('ann', '12345678')
const challenge = createHash('sha256').update('verifier').digest('base64url')
const loginCode = async ({ codes }: Node) => codes.issue({ user: 'ann' }, challenge)
const useCode: Act<string> = ({ codes }, code) => codes.take(code, 'verifier')
const link = async ({ exports }: Node) => (await exports.createLink(ann)).ticket
const download: Act<string> = async ({ exports }, ticket) => (await exports.open(ticket)).return(undefined)
const bot = async (one: Node) => one['bots.create'](ann, { bot: 'nice' })

const RACES: Record<string, Race<unknown>> = {
  'a login by a password that is changed': race({ before: verify, first: setPassword, second: begin, outcome: gone }),
  'a login when all are taken back': race({
    ...{ before: verify, second: begin, outcome: gone },
    first: ({ accounts }) => accounts.voidTokens('ann'),
  }),
  'a login to an account that is removed': race({
    ...{ before: verify, first: remove('ann'), second: begin, outcome: gone },
  }),
  'a login to an account that is suspended': race({
    ...{ before: verify, second: begin, outcome: gone },
    first: ({ accounts }) => accounts.suspend('ann', 'bob', null),
  }),
  'a change of a password that was changed': race({
    ...{ before: verify, first: setPassword, outcome: gone },
    second: ({ accounts }, verified) =>
      accounts.setPassword('ann', 'the-third-pw', ({ directory }) => requireValid(directory, verified, Date.now())),
  }),
  'a refresh when the password is changed': race({ before: login, first: setPassword, second: renew, outcome: gone }),
  'a refresh when the login is ended': race({
    ...{ before: login, second: renew, outcome: gone },
    first: async ({ logins, store }) => logins.end('ann', (await store.directory.credentials('ann'))[0]!.id),
  }),
  'a key of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), outcome: gone },
    second: ({ keys }) => keys.create('ann', newKey),
  }),
  'a key made with a password that is changed': race({
    ...{ before: verify, first: setPassword, outcome: gone },
    second: (one, verified) => one['keys.create'](asVerified(verified), { name: 'k' }),
  }),
  'a key beside the last that one may have': race({
    ...{ before: ({ keys }: Node) => keys.create('ann', newKey), outcome: 'conflict' },
    first: ({ keys }) => keys.create('ann', newKey),
    second: ({ keys }) => keys.create('ann', newKey),
  }),
  'the use of a key that is revoked': race({
    before: ({ keys }) => keys.create('ann', newKey),
    first: async ({ keys }, { record }) => keys.revoke('ann', record.id),
    second: async ({ keys }, { key }) => {
      await keys.check(key)
      return keys.revoke('ann', 'decided on after the use is noted')
    },
    outcome: false,
    check: async (t, { keys }, { key }) => t.equal(await keys.check(key), null, 'it stays revoked'),
  }),
  'a reset token of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), outcome: 'not_found' },
    second: ({ resets }) => resets.create('ann', 60),
  }),
  'a reset token that is used': race({ before: reset, first: useReset, second: useReset, outcome: gone }),
  'a reset token when the password is changed': race({
    ...{ before: reset, first: setPassword, second: useReset, outcome: gone },
  }),
  'an invitation that is used up': race({
    ...{ before: invite, first: register('cy'), second: register('dee'), outcome: 'forbidden' },
    check: async (t, { store }) => t.equal(await store.directory.user('dee'), null),
  }),
  'an invitation by an account that is removed': race({
    ...{ before: invite, first: remove('bob'), second: register('cy'), outcome: 'forbidden' },
  }),
  'a name that differs by case': race({
    ...{ before: nothing, outcome: 'conflict' },
    first: ({ accounts }) => accounts.add('Cy', null),
    second: ({ accounts }) => accounts.add('cY', null),
  }),
  'the same token user': race({
    before: nothing,
    first: async ({ accounts }) => accounts.ensure('cy'),
    second: async ({ accounts }) => (await accounts.ensure('cy')).id,
    outcome: 'cy',
  }),
  'roles and a suspension': race({
    ...{ before: nothing, outcome: undefined },
    first: ({ accounts }) => accounts.suspend('ann', 'bob', 'why'),
    second: async ({ accounts }) => void (await accounts.setRoles('ann', ['x'])),
    check: async (t, { accounts }) =>
      t.match(await accounts.get('ann'), { roles: ['x'], suspended: { reason: 'why' } }, 'both are there'),
  }),
  'a second factor of an account that is removed': race({
    ...{ before: verify, first: remove('ann'), outcome: gone },
    second: ({ factors }, verified) => factors.begin(verified),
  }),
  'a second factor begun with a password that is changed': race({
    ...{ before: verify, first: setPassword, outcome: gone },
    second: ({ factors }, verified) => factors.begin(verified),
  }),
  'a second factor confirmed when the account is removed': race({
    ...{ before: factor, first: remove('ann'), outcome: gone },
    second: ({ factors }, secret) => factors.confirm({ user: 'ann' }, codeOf(secret)),
  }),
  'a code that is used': race({
    ...{ before: confirmed, outcome: 'wrong' },
    first: ({ factors }, code) => factors.check('ann', code),
    second: ({ factors }, code) => factors.check('ann', code),
  }),
  'a wrong code beside one that another node counts': race({
    ...{ before: confirmed, first: wrongCode, second: wrongCode, outcome: 'wrong' },
    check: async (t, { factors }, code) =>
      t.match(await factors.check('ann', code), { wait: Number }, 'both were counted, and no more is tried'),
  }),
  'a right code when another node has counted too many wrong ones': race({
    ...{ before: confirmed, outcome: { wait: 60 } },
    first: async (one) => [await wrongCode(one), await wrongCode(one)],
    second: ({ factors }, code) => factors.check('ann', code),
  }),
  'a wrong code of an account that is removed': race({
    ...{ before: confirmed, first: remove('ann'), outcome: undefined },
    second: async (one) => void (await wrongCode(one)),
    check: async (t, { store }) => t.equal(await store.expiring.get('codeFailures', 'ann', 0), null),
  }),
  'a login code that is used': race({ before: loginCode, first: useCode, second: useCode, outcome: gone }),
  'a login code of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), second: loginCode, outcome: gone },
  }),
  'the link of an export that is used': race({
    ...{ before: link, first: download, second: download, outcome: 'not_found' },
  }),
  'the link of an export beside another': race({
    ...{ before: nothing, first: link, outcome: undefined },
    second: async (one) => void (await link(one)),
    check: async (t, { store }) => {
      const links = (await store.tables.list('expiring', {})).filter(([key]) => key.endsWith('exportLink'))
      const { hashes } = (await store.expiring.get('exportLinksOf', 'ann', 0))!
      t.same(
        links.map(([key]) => key),
        hashes.map((hash) => keyOf(hash, 'exportLink')),
        'the last alone is there',
      )
    },
  }),
  'the link of an export of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), second: link, outcome: gone },
    check: async (t, { store }) => t.same(await store.tables.list('expiring', {}), []),
  }),
  'a bot beside the last that one may have': race({
    ...{ before: nothing, first: bot, outcome: 'conflict' },
    second: (one) => one['bots.create'](ann, { bot: 'other' }),
  }),
  'a bot of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), second: bot, outcome: gone },
    check: async (t, { store }) => t.equal(await store.directory.user('nice'), null),
  }),
  'the removal of an account that makes a bot': race({
    ...{ before: nothing, first: bot, outcome: ['ann', 'nice'] },
    second: ({ accounts }) => accounts.remove('ann'),
  }),
  'a key of a bot that is removed': race({
    ...{ before: bot, first: remove('nice'), outcome: 'forbidden' },
    second: (one) => one['keys.create'](ann, { name: 'k', user: 'nice' }),
  }),
  'commands of a bot that is removed': race({
    ...{ before: bot, first: remove('nice'), outcome: 'not_found' },
    second: (one) => one['slash.set'](ann, { bot: 'nice', commands: [] }),
  }),
  'a block of an account that is removed': race({
    ...{ before: nothing, first: remove('bob'), outcome: 'not_found' },
    second: (one) => one['blocks.add'](ann, { user: 'bob' }),
  }),
  'a block by an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), outcome: gone },
    second: (one) => one['blocks.add'](ann, { user: 'bob' }),
  }),
  'a request for contact with an account that is removed': race({
    ...{ before: nothing, first: remove('bob'), outcome: 'not_found' },
    second: (one) => one['contacts.request'](ann, { user: 'bob' }),
  }),
  'a request for contact with who blocks': race({
    ...{ before: nothing, outcome: 'forbidden' },
    first: (one) => one['blocks.add'](bob, { user: 'ann' }),
    second: (one) => one['contacts.request'](ann, { user: 'bob' }),
  }),
  'requests for contact of two with each other': race({
    ...{ before: nothing, outcome: '{"state":"contact"}' },
    first: (one) => one['contacts.request'](bob, { user: 'ann' }),
    second: (one) => one['contacts.request'](ann, { user: 'bob' }),
  }),
  'a request for contact that is taken back': race({
    ...{ before: (one: Node) => one['contacts.request'](bob, { user: 'ann' }), outcome: 'not_found' },
    first: (one) => one['contacts.remove'](bob, { user: 'ann' }),
    second: (one) => one['contacts.accept'](ann, { user: 'bob' }),
  }),
  'two changes of a profile': race({
    ...{ before: nothing, outcome: undefined },
    first: (one) => one['users.update'](ann, { name: 'Ann', fields: { a: 1 } }),
    second: async (one) => void (await one['users.update'](ann, { fields: { b: 2 } })),
    check: async (t, { store }) =>
      t.match(await store.directory.profile('ann'), { name: 'Ann', fields: { a: 1, b: 2 } }, 'both are there'),
  }),
  'a profile of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), outcome: gone },
    second: (one) => one['users.update'](ann, { name: 'Ann' }),
  }),
  'two changes of privacy': race({
    ...{ before: nothing, outcome: undefined },
    first: (one) => one['privacy.update'](ann, { messages: 'nobody' }),
    second: async (one) => void (await one['privacy.update'](ann, { presence: 'nobody' })),
    check: async (t, { store }) =>
      t.match(store.directory.privacy.get('ann'), { messages: 'nobody', presence: 'nobody' }, 'both are there'),
  }),
  'privacy of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), outcome: gone },
    second: (one) => one['privacy.update'](ann, { messages: 'nobody' }),
  }),
  'two changes of what notifies': race({
    ...{ before: nothing, outcome: undefined },
    first: (one) => one['notifications.settings.update'](ann, { rooms: 'none' }),
    second: async (one) => void (await one['notifications.settings.update'](ann, { keywords: ['tea'] })),
    check: async (t, { store }) =>
      t.match(store.directory.notificationSettings.get('ann'), { rooms: 'none', keywords: ['tea'] }, 'both are there'),
  }),
  'two first versions of a private value': race({
    ...{ before: nothing, outcome: 'conflict' },
    first: (one) => one['account.data.set'](ann, { name: 'theme', value: 'dark', ifVersion: 0 }),
    second: (one) => one['account.data.set'](ann, { name: 'theme', value: 'light', ifVersion: 0 }),
    check: async (t, { store }) => t.match(await store.directory.accountData.get('ann', 'theme'), { value: 'dark' }),
  }),
  'two private values, where one more is allowed': race({
    before: (one: Node) => one['account.data.set'](ann, { name: 'a', value: 1 }),
    outcome: 'conflict',
    first: (one) => one['account.data.set'](ann, { name: 'b', value: 1 }),
    second: (one) => one['account.data.set'](ann, { name: 'c', value: 1 }),
    check: async (t, { store }) => t.match(await store.directory.accountData.total('ann'), { count: 2, version: 2 }),
  }),
  'a private value of an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), outcome: gone },
    second: (one) => one['account.data.set'](ann, { name: 'theme', value: 'dark' }),
  }),
  'what notifies an account that is removed': race({
    ...{ before: nothing, first: remove('ann'), outcome: gone },
    second: (one) => one['notifications.settings.update'](ann, { rooms: 'none' }),
  }),
}

for (const [what, { before, first, second, outcome, check }] of Object.entries(RACES))
  for (const [how, contend] of Object.entries({ 'heard of late': raced, overtaken })) {
    t.test(`${what}: ${how}`, async (t) => {
      const store = await openStore(t, ['ann', 'bob'])
      const one = node(store)
      const known = await before(one)
      const found = await contend(
        store,
        () => first(one, known),
        (late) => second(node(late), known),
      )
      t.same(found, outcome)
      await check?.(t, one, known)
    })
  }

t.test('what was issued to an earlier account of the name is not good for the next', async (t) => {
  const store = await openStore(t)
  const { accounts, keys, logins, resets } = node(store)
  const secret = 'x'.repeat(43)
  const issue = async (kind: CredentialRecord['kind'], more: Partial<CredentialRecord>): Promise<string> => {
    const record = { user: 'ann', id: kind, kind, hash: hashSecret(secret), previous: null, name: 'k', usedAt: 0 }
    const given = { ...record, createdAt: Date.now(), expiresAt: null, ...more }
    await commit(store, { ops: [store.directory.credentialOp(given)] })
    return writeSecret(kind, { user: 'ann', id: kind, secret })
  }
  const opens = async (more: Partial<CredentialRecord>): Promise<boolean[]> => [
    (await keys.check(await issue('key', more))) !== null,
    (await keys.list('ann')).length > 0,
    await logins.renew(await issue('login', more)).then(
      () => true,
      () => false,
    ),
    await resets.use(await issue('reset', more), 'another-pw', '::1').then(
      () => true,
      () => false,
    ),
  ]
  const none = [false, false, false, false]
  const made = await accounts.create('ann', 'ann-secret')
  t.same(await opens({ accountId: 'another', revocations: 0 }), none, 'of another account')
  t.same(await opens({ createdAt: made.createdAt - 1 }), none, 'of earlier versions, older than the account')
  t.same(await opens({}), [true, true, true, true], 'of earlier versions, since')
  const { accountId } = made
  t.same(
    await opens({ accountId: accountId!, revocations: 0 }),
    [true, true, false, false],
    'revoked by the last reset',
  )
  t.same(await opens({ accountId: accountId!, revocations: 1 }), [true, true, true, true])
  await accounts.remove('ann')
  await commit(store, { ops: [store.accounts.deleteRemovalOp('ann')] })
  await accounts.add('ann', 'of-another')
  t.same(await opens({ accountId: accountId!, revocations: 0 }), none, 'written after the name was given up')
})
