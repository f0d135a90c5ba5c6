/** Topic aliases are put into encoded packets: what a client makes of the result must be what was put in. */
import assert from 'node:assert'
import mqttPacket, { type IPublishPacket } from 'mqtt-packet'
import t from 'tap'
import { AliasWriter } from '../../broker/mqtt/alias-writer.js'
import fc from '../helpers/fast-check.js'

/** Decodes as a client does: an alias that comes with a topic is set, one without stands for it. */
class Reader {
  readonly aliases = new Map<number, string>()

  read(bytes: Buffer): IPublishPacket[] {
    const packets: IPublishPacket[] = []
    const parser = mqttPacket.parser({ protocolVersion: 5 })
    parser.on('packet', (packet) => packets.push(this.#resolve(packet as IPublishPacket)))
    parser.on('error', (error: Error) => assert.fail(error))
    assert.equal(parser.parse(bytes), 0, 'whole packets')
    return packets
  }

  #resolve({ length: _, properties: { topicAlias, ...properties } = {}, ...packet }: IPublishPacket): IPublishPacket {
    if (topicAlias === undefined) return { ...packet, properties }
    if (packet.topic !== '') this.aliases.set(topicAlias, packet.topic)
    const topic = this.aliases.get(topicAlias)
    assert.ok(topic, `alias ${topicAlias} was never set`)
    return { ...packet, topic, properties }
  }
}

const topic = fc.oneof(
  fc.constantFrom('a', 'room/1', 'room/2', 'ü/é', 'x'.repeat(130)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }).map((made) => made.replaceAll(/[+#\0]/g, '_')),
)
const publish = fc.record({
  topic,
  payload: fc.integer({ min: 0, max: 300 }).map((length) => Buffer.alloc(length, 0x61)),
  qos: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  retain: fc.boolean(),
  dup: fc.constant(false),
  messageId: fc.integer({ min: 1, max: 65535 }),
  properties: fc.record({ contentType: fc.string({ maxLength: 140 }) }, { requiredKeys: [] }),
})
const chunk = fc.array(publish, { minLength: 1, maxLength: 4 })

t.test('what is read from rewritten packets is what was written [MQTT5-3.3.2.3.4]', async (t) => {
  const property = fc.property(fc.array(chunk, { maxLength: 8 }), fc.integer({ min: 1, max: 6 }), (chunks, maximum) => {
    const writer = new AliasWriter(maximum, 400)
    const [reader, oracle] = [new Reader(), new Reader()]
    for (const packets of chunks) {
      const bytes = Buffer.concat(
        packets.map((packet) => mqttPacket.generate({ cmd: 'publish', ...packet }, { protocolVersion: 5 })),
      )
      const before = Buffer.from(bytes)
      const rewritten = writer.rewrite(bytes)
      assert.deepEqual(bytes, before, 'others share these bytes')
      assert.deepEqual(reader.read(rewritten), oracle.read(bytes))
    }
    assert.ok(reader.aliases.size <= maximum)
  })
  fc.assert(property, { numRuns: 500 })
  t.pass()
})
