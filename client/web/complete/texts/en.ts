import { plurals } from '../../text/plurals.js'

const count = plurals('en')

export const en = {
  titles: { command: 'Commands of bots', person: 'People', emoji: 'Emoji' },
  count: (n: number) => count(n, { one: '# suggestion', other: '# suggestions' }),
  everyone: 'Everyone in the room',
  notMember: 'not in the room',
}
