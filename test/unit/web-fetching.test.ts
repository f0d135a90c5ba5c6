/** What a list of the web app does when something of it cannot be fetched. */
import t from 'tap'
import { bundle } from '../helpers/bundle.js'

interface Fetching {
  readonly failure: { readonly value: { readonly at: string } | null }
  begin(scroller: object, shown: object): void
  fill(gap: object): Promise<void>
}

const source = await bundle("export * from './client/web/room/fetching.js'")
const made = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
  Fetching: new (look: () => void) => Fetching
}

/** Of a browser. */
Object.assign(globalThis, { requestAnimationFrame: setImmediate })

t.test('a gap that could not be filled says so, and the list goes on when the reader asks', async (t) => {
  let isBroken = true
  let tries = 0
  let looked = (): void => {}
  const gap = {
    ...{ kind: 'gap', key: 'gap-5-9', from: 5, to: 9 },
    async load() {
      tries++
      if (isBroken) throw new Error('not now')
    },
  }
  const scroller = { gapNear: () => ({ key: gap.key, isAbove: true }), space: { above: 0, below: 0, height: 500 } }
  const shown = { items: [gap], isWhole: true, state: { older: 'end', newer: 'end' }, mayBegin: false, timeline: {} }
  const fetching = new made.Fetching(() => looked())
  const rested = () => new Promise<void>((resolve) => (looked = resolve))
  let rest = rested()
  fetching.begin(scroller, shown)
  await rest
  t.equal(fetching.failure.value?.at, gap.key)
  fetching.begin(scroller, shown)
  t.equal(tries, 1, 'nothing is tried by itself')
  isBroken = false
  rest = rested()
  await fetching.fill(gap)
  t.equal(fetching.failure.value, null)
  await rest
  fetching.begin(scroller, shown)
  t.equal(tries, 3, 'what comes near is fetched again')
})

t.test('a list that could not begin where it was to begins with the newest messages, or says why not', async (t) => {
  const jumps: unknown[] = []
  const broken = async (to?: unknown): Promise<never> => {
    jumps.push(to)
    throw new Error('not now')
  }
  const shown = {
    items: [],
    isWhole: true,
    state: { older: 'loading', newer: 'loading' },
    timeline: { begin: broken, jump: broken },
  }
  let looked = (): void => {}
  const fetching = new made.Fetching(() => looked())
  fetching.begin({}, { ...shown, mayBegin: false })
  t.same(jumps, [], 'it may be on its way')
  const rest = new Promise<void>((resolve) => (looked = resolve))
  fetching.begin({}, { ...shown, mayBegin: true })
  await rest
  t.same(jumps, [undefined, 'latest'])
  t.equal(fetching.failure.value?.at, 'older')
})
