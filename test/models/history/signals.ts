/** Receipts never go back, and what somebody was told of them is stored. */
import { groupBy, type History, ofType, type ReceiptHeard, type ReceiptsRead } from './events.js'

export function checkReceipts(history: History): string[] {
  const heard = ofType(history, 'receipt')
  const read = ofType(history, 'receipts')
  return [
    ...[...groupBy(heard, ({ connection, room, user }) => `${connection} ${room} ${user}`).values()].flatMap(backwards),
    ...heard.flatMap((told) => unstored(told, read)),
    ...[...groupBy(read, ({ room }) => room).values()].flatMap(([first, ...others]) =>
      others
        .filter(({ receipts }) => text(receipts) !== text(first!.receipts))
        .map(({ node, room }) => `the receipts of ${room} are not the same on ${node} as on ${first!.node}`),
    ),
  ]
}

function backwards(told: readonly ReceiptHeard[]): string[] {
  return told.flatMap((each, i) => {
    const before = told[i - 1]
    const isBack = before && (before.read > each.read || before.delivered > each.delivered)
    return isBack ? [`${each.session} was told that ${each.user} is at ${place(each)}, after ${place(before)}`] : []
  })
}

function unstored(told: ReceiptHeard, all: readonly ReceiptsRead[]): string[] {
  return all
    .filter(({ room }) => room === told.room)
    .flatMap(({ node, receipts }) => {
      const [read, delivered] = receipts[told.user] ?? [0, 0]
      const isThere = read >= told.read && delivered >= told.delivered
      return isThere
        ? []
        : [`${told.session} was told that ${told.user} is at ${place(told)}, ${node} has ${read} ${delivered}`]
    })
}

function place({ read, delivered }: ReceiptHeard): string {
  return `${read} ${delivered}`
}

function text(receipts: ReceiptsRead['receipts']): string {
  return JSON.stringify(Object.entries(receipts).sort())
}
