/** A will is published once when its client has died, and never when the client left or came back. */
import { groupBy, type History, ofType, type Placed, type WillSeen } from './events.js'

export function checkWills(history: History): string[] {
  const died = ofType(history, 'died')
  const seen = groupBy(ofType(history, 'will'), ({ session }) => session)
  if (seen.size === 0) return died.map(({ will }) => `nobody has ${will}`)
  return [...seen].flatMap(([session, wills]) => judge(history, wills).map((what) => `${session} ${what}`))
}

function judge(history: History, wills: readonly Placed<WillSeen>[]): string[] {
  const died = ofType(history, 'died')
  const unclear = new Set(ofType(history, 'will unclear').map(({ will }) => will))
  const times = (name: string): number => wills.filter(({ will }) => will === name).length
  const isolated = ofType(history, 'isolated')
  // A node that the others take for gone may still have the connection.
  const isDead = (node: string, at: number): boolean => isolated.some((each) => each.node === node && each.at < at)
  const mayBe = ({ will, at }: Placed<WillSeen>): boolean =>
    unclear.has(will) || died.some((each) => each.will === will && (each.at < at || isDead(each.node, at)))
  return [
    ...died.filter(({ will }) => times(will) !== 1).map(({ will }) => `has ${will} ${times(will)} times`),
    ...[...unclear].filter((will) => times(will) > 1).map((will) => `has ${will} ${times(will)} times`),
    ...wills.filter((each) => !mayBe(each)).map(({ will }) => `has ${will}, and nobody died`),
  ]
}
