/** An event stream (server-sent events) as a listener. */
import type { Test } from 'tap'
import type { TestBroker } from '../../helpers/broker.js'
import { EventReader } from '../../helpers/event-reader.js'
import { Listener } from './listener.js'
import type { QoS } from './words.js'

export class Stream extends Listener {
  #reader: EventReader | null = null

  /** Opens the stream. Returns the status. */
  async open(
    owner: Test,
    broker: TestBroker,
    roles: string[],
    filters: readonly { filter: string; qos: QoS }[],
  ): Promise<number> {
    const token = await broker.token(this.reader.user, roles)
    const query = new URLSearchParams(
      [...filters, { filter: 'tick' }].map(({ filter }): [string, string] => ['filter', filter]),
    )
    const reader = await EventReader.open(owner, broker, `/v1/events?${query}`, { token })
    const { statusCode = 0 } = reader.response
    if (statusCode !== 200) return statusCode
    this.#reader = reader
    this.reader = { ...this.reader, roles }
    this.connected = true
    for (const { filter } of filters) this.filters.set(filter, 1)
    void this.#listen(reader)
    return statusCode
  }

  async #listen(reader: EventReader): Promise<void> {
    for (let taken = 0; ; taken++) {
      await reader.until(() => reader.events.length > taken).catch(() => {})
      const event = reader.events[taken]
      if (!event) break
      const { topic, message, text } = event.data
      if (this.#reader === reader) this.hear(topic, text ?? JSON.stringify(message ?? event.data))
    }
    if (this.#reader === reader) this.dropped()
  }

  async cut(): Promise<void> {
    this.#reader?.response.destroy()
    await this.until(
      () => !this.connected,
      () => 'is still open',
    )
  }
}
