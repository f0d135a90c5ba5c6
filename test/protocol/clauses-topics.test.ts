/** Clauses of 3.1.1 and 5 that say the same, held on both: which topics there are, and which filters match them. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { subscribe5, unsubscribe5 } from '../helpers/mqtt5.js'
import { cut, leave, OPEN_ACL, open, publish, takePublishes, untilPong } from '../helpers/protocol.js'
import { back, kept, VERSIONS } from '../helpers/versions.js'

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: topics and filters`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL, limits: { filterBytes: 65535 } })
    const speaker = await open(broker, { version })
    const cases: [string, string[], Record<string, string[]>][] = [
      [
        'U+FEFF is a character like others [MQTT-1.5.3-3, MQTT5-1.5.4-3]',
        ['\ufeffa', 'a', 'b\ufeff/c'],
        { '\ufeffa': ['\ufeffa'], a: ['a'], 'b\ufeff/+': ['b\ufeff/c'], 'b/+': [] },
      ],
      [
        'nothing is normalised: case, spaces, accents, dots [MQTT-4.7.3-4, MQTT5-4.7.3-4]',
        ['n/\u00e9', 'n/e\u0301', 'n/E', 'n/e ', 'n/.', 'n/../n/e', 'n/%65', 'n//e', 'n/\ufffd'],
        {
          'n/\u00e9': ['n/\u00e9'],
          'n/e\u0301': ['n/e\u0301'],
          'n/e': [],
          'n/e ': ['n/e '],
          'n/.': ['n/.'],
          'n/../n/+': ['n/../n/e'],
          'n/%65': ['n/%65'],
          'n//+': ['n//e'],
          'n/\ufffd': ['n/\ufffd'],
        },
      ],
      [
        '# and + where they may stand; what comes matches [MQTT-3.3.2-3, MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT5-3.3.2-3, MQTT5-4.7.1-1, MQTT5-4.7.1-2]',
        ['p', 'p/', 'p/q', 'p/q/r', '/p', 'q/p'],
        {
          'p/#': ['p', 'p/', 'p/q', 'p/q/r'],
          'p/+': ['p/', 'p/q'],
          'p/+/r': ['p/q/r'],
          '+/p': ['/p', 'q/p'],
          '+/+': ['p/', 'p/q', '/p', 'q/p'],
          '+/q/#': ['p/q', 'p/q/r'],
        },
      ],
      [
        'a wildcard in front matches no topic that begins with $ [MQTT-4.7.2-1, MQTT5-4.7.2-1]',
        ['x/1', '$x/1'],
        { '#': ['x/1'], '+/1': ['x/1'], '+/+': ['x/1'] },
      ],
    ]
    for (const [name, topics, filters] of cases) {
      await t.test(name, async (t) => {
        for (const [filter, expected] of Object.entries(filters)) {
          const hearer = await open(broker, { version })
          await subscribe5(hearer, filter, { qos: 0 })
          for (const topic of topics) await publish(speaker, topic, '', { qos: 1 })
          const got = (await untilPong(hearer)).map((packet) => (packet as { topic: string }).topic)
          t.same(got, expected, JSON.stringify(filter))
          await leave(broker, hearer)
        }
      })
    }
    await t.test('65535 bytes are no fault [MQTT-4.7.3-3, MQTT5-4.7.3-3]', async (t) => {
      const long = 'l'.repeat(65535)
      const hearer = await open(broker, { id: 'long', version, ...kept(version) })
      t.same(await subscribe5(hearer, long), [1])
      await publish(speaker, long, 'x', { retain: true })
      t.equal((await takePublishes(hearer, 1))[0]!.topic, long)
      await cut(broker, hearer)
      const again = await open(broker, { id: 'long', version, ...back(version) })
      t.match((await takePublishes(again, 1))[0], { topic: long, dup: true })
      await unsubscribe5(again, long)
    })
  })
}
