/** A receipt is not told after a further one, in whatever order a node hears of receipts and of what is stored. */
import t from 'tap'
import { ToldReceipts } from '../../broker/chat/presence/told-receipts.js'

const place = (read: number, delivered = read) => ({ read, delivered })

t.test('what comes after a further place is not told', async (t) => {
  const told = new ToldReceipts()
  t.notOk(told.isPassed('den bob', place(7), null), 'before the node has heard of it by the store')
  t.ok(told.isPassed('den bob', place(3), null))
  t.ok(told.isPassed('den bob', place(3), place(3)), 'nor when the store is heard of late')
  t.ok(told.isPassed('den bob', place(3), place(9)))
  t.notOk(told.isPassed('den ann', place(3), null), 'of another member it is')
  t.notOk(told.isPassed('den bob', place(7, 9), place(7)))
  t.ok(told.isPassed('den bob', place(8, 8), place(7)), 'behind in one of both: the place that follows has both')
  t.notOk(told.isPassed('den bob', place(9), place(9)))
  t.ok(told.isPassed('den bob', place(8, 9), place(9)), 'then the store knows')
})

t.test('another membership begins anew', async (t) => {
  const told = new ToldReceipts()
  told.isPassed('den bob', place(7), null)
  told.forget('den bob')
  t.notOk(told.isPassed('den bob', place(1), null))
})

t.test('the oldest ones are forgotten first', async (t) => {
  const told = new ToldReceipts()
  for (let i = 0; i <= 10_000; i++) told.isPassed(`den ${i}`, place(7), null)
  t.ok(told.isPassed('den 1', place(3), null))
  t.notOk(told.isPassed('den 0', place(3), null), 'this one is')
})
