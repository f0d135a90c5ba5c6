/** Addresses of Redis, as `store.redis.url` has them. */
import t from 'tap'
import { parseAddress } from '../../broker/store/redis/address.js'

t.test('one server, with what may be left out', async (t) => {
  t.strictSame(parseAddress('redis://example'), {
    kind: 'single',
    hosts: [{ host: 'example', port: 6379 }],
    master: '',
    login: { user: null, password: null },
    sentinelLogin: { user: null, password: null },
    database: 0,
    tls: false,
  })
  t.match(parseAddress('rediss://bot:a%40b%2Fc:d@[::1]:7000/12'), {
    hosts: [{ host: '::1', port: 7000 }],
    login: { user: 'bot', password: 'a@b/c:d' },
    database: 12,
    tls: true,
  })
  t.match(parseAddress('redis://:secret@example').login, { user: null, password: 'secret' })
  t.match(parseAddress('redis://bot@example').login, { user: 'bot', password: '' })
})

t.test('Sentinels and Clusters', async (t) => {
  const url = 'redis+sentinel://bot:secret@a:1,b/main/3?tls=true&sentinelUser=s&sentinelPassword=hidden%26'
  t.match(parseAddress(url), {
    kind: 'sentinel',
    hosts: [
      { host: 'a', port: 1 },
      { host: 'b', port: 26379 },
    ],
    master: 'main',
    login: { user: 'bot', password: 'secret' },
    sentinelLogin: { user: 's', password: 'hidden&' },
    database: 3,
    tls: true,
  })
  t.match(parseAddress('redis+cluster://a,b:2?tls=false'), {
    kind: 'cluster',
    hosts: [{ port: 6379 }, { port: 2 }],
    tls: false,
  })
})

t.test('what is wrong is said without the address, which may contain a password', async (t) => {
  const wrong: Record<string, RegExp> = {
    'http://hunter2@x': /expected redis:\/\/host/,
    'redis://:hunter2@': /expected redis:\/\/host/,
    'redis://:hunter2@a,b': /names several hosts/,
    'redis://:hunter2@a:0': /"a:0" is not a host and port/,
    'redis://:hunter2@a:65536': /is not a host and port/,
    'redis://:hunter2@a/main': /database after the last slash/,
    'redis://:hunter2%@a': /%25/,
    'redis://:hunter2@a?tls=true': /no parameter "tls"/,
    'redis+sentinel://:hunter2@a': /name of the master/,
    'redis+cluster://:hunter2@a/1': /no database but 0/,
    'redis+cluster://a?tls=maybe': /tls is true or false/,
  }
  for (const [url, why] of Object.entries(wrong)) {
    t.throws(() => parseAddress(url), { name: 'StoreError', message: why }, url)
    try {
      parseAddress(url)
    } catch (error) {
      t.notMatch((error as Error).message, 'hunter2')
    }
  }
})
