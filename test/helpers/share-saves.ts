/** A share group that is saved with one member while the session of another is yet to be saved with what it was assigned. */
import type { Change } from '../../broker/store/changes.js'
import type { TestBroker } from './broker.js'
import { until } from './patience.js'
import type { RawClient } from './raw-client.js'
import { Member, together } from './share-member.js'
import { GROUP, send } from './share-nodes.js'
import { WriteLine } from './write-line.js'

const STAYS = { qos: 2, expiry: 60 } as const
const SESSIONS = ['ann/w1', 'ann/w2', GROUP]

/** The state of the members and of their group. */
function isSave({ ops }: Change): boolean {
  return ops.some(
    (op) => op.type === 'put' && op.table === 'sessionState' && SESSIONS.some((id) => op.key.startsWith(`${id}\0`)),
  )
}

export class ShareSaves {
  readonly line: WriteLine
  readonly first: Member
  /** Has one message, which it has not acknowledged, and can take no other. */
  readonly second: Member
  readonly #sender: RawClient
  readonly sent: string[]

  private constructor(line: WriteLine, first: Member, second: Member, sender: RawClient, sent: string[]) {
    this.line = line
    this.first = first
    this.second = second
    this.#sender = sender
    this.sent = sent
  }

  /** @param broker Of both members */
  static async begin(broker: TestBroker, sender: RawClient): Promise<ShareSaves> {
    const first = await Member.join({ broker }, { ...STAYS, id: 'w1' })
    const second = await Member.join({ broker }, { ...STAYS, id: 'w2', receiveMaximum: 1, holds: true })
    const sent = await send(sender, 0, 2, 2)
    await together(2, first, second)
    return new ShareSaves(WriteLine.before(broker.running.store), first, second, sender, sent)
  }

  /** Two messages for the first member: the save with one of them is under way, and the other waits for the next. */
  async assignTwo(): Promise<void> {
    this.line.hold(isSave)
    for (let count = 0; count < 2; count++) {
      this.sent.push(...(await send(this.#sender, this.sent.length, 1, 2)))
      await until('the session is being saved', async () => this.line.holdsStateOf('ann/w1'))
    }
  }

  /** The second member completes what it has, and the group is saved with it. What is saved next is held back. */
  async saveWithSecond(): Promise<void> {
    this.second.acknowledge()
    await until('the group is being saved', async () => this.line.holdsStateOf('ann/w2'))
    const written = this.line.release()
    this.line.hold(isSave)
    await written
    await until('the other message is being saved', async () => this.line.holdsStateOf('ann/w1'))
  }

  /** The members come back to a broker, where `other` has got what they have not. */
  async comeBack(broker: TestBroker): Promise<[Member, Member]> {
    const again = { ...STAYS, filter: null }
    return [
      await Member.join({ broker }, { ...again, id: 'w1' }, this.first),
      await Member.join({ broker }, { ...again, id: 'w2' }, this.second),
    ]
  }
}

/** Resolves when all that was sent to the group is acknowledged. */
export function allDone(broker: TestBroker): Promise<void> {
  return until('all is acknowledged', async () => broker.running.store.queue.size(GROUP).messages === 0)
}
