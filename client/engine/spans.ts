/** Sets of numbers as ascending spans that do not touch: which part of a room's messages the client has. */

/** The first and the last number. */
export type Span = readonly [first: number, last: number]
export type Spans = readonly Span[]

/** All there may be. */
export const WHOLE: Span = [1, 9_007_199_254_740_990]

/** With all numbers of `span`; one without numbers adds none. */
export function addSpan(spans: Spans, [first, last]: Span): Spans {
  if (first > last) return spans
  const apart = spans.filter(([from, to]) => to < first - 1 || from > last + 1)
  const met = spans.filter((span) => !apart.includes(span))
  const joined: Span = [Math.min(first, ...met.map(([from]) => from)), Math.max(last, ...met.map(([, to]) => to))]
  return [...apart, joined].sort(([a], [b]) => a - b)
}

/** Those from `first` to `last`. */
export function cutSpans(spans: Spans, [first, last]: Span): Spans {
  return spans.flatMap(([from, to]): Span[] => {
    const cut: Span = [Math.max(from, first), Math.min(to, last)]
    return cut[0] > cut[1] ? [] : [cut]
  })
}

/** The span that has this number; null: none. */
export function spanOf(spans: Spans, number: number): Span | null {
  return spans.find(([from, to]) => from <= number && number <= to) ?? null
}

/** What is missing from `first` to `last`. */
export function gapsOf(spans: Spans, [first, last]: Span): Spans {
  const gaps: Span[] = []
  let next = first
  for (const [from, to] of cutSpans(spans, [first, last])) {
    if (from > next) gaps.push([next, from - 1])
    next = to + 1
  }
  return next <= last ? [...gaps, [next, last]] : gaps
}
