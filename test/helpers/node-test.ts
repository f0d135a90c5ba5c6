/** Runs suites written for node:test on tap, as far as they use its context. */
import assert from 'node:assert'
import type { Test } from 'tap'

type Assertions = Record<string, (...args: unknown[]) => void>

export interface NodeTestContext {
  readonly assert: Assertions
  plan(count: number): void
  diagnostic(message: string): void
}

export type NodeTest = (name: string, body: (context: NodeTestContext) => Promise<void>) => void

/** A `test` function that reports to `t`. */
export function nodeTest(t: Test): NodeTest {
  return (name, body) => {
    t.test(name, async (sub) => {
      let planned: number | null = null
      let checked = 0
      const counting = new Proxy(assert as unknown as Assertions, {
        get: (target, method: string) =>
          function check(...args: unknown[]): void {
            checked++
            target[method]!(...args)
          },
      })
      await body({
        assert: counting,
        plan: (count) => {
          planned = count
        },
        diagnostic: (message) => sub.comment(message),
      })
      sub.equal(checked, planned ?? checked, 'as many checks as planned')
    })
  }
}
