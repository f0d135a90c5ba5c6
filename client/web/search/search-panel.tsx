import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { pagesOf } from '../../index.js'
import { usePresent } from '../state/context.js'
import type { PanelOfKind, SearchFilters } from '../state/panel-kinds.js'
import { route, turnStep } from '../state/router.js'
import { texts } from '../text/text.js'
import { announce } from '../ui/announcer.js'
import { Empty } from '../ui/empty.js'
import { Field } from '../ui/field.js'
import { PageList } from '../ui/page-list.js'
import { Panel } from '../ui/panel.js'
import { useLate } from '../ui/use-late.js'
import { usePages } from '../ui/use-pages.js'
import { FoundMessage } from './found-message.js'
import { FilterFields, paramsOf } from './search-filters.js'
import { searchTexts } from './texts.js'

/** Characters that the broker takes. */
const LONGEST = 256

/** Searches the messages of all rooms of the user, or of some; what is found leads into its room, and the panel stays. */
export default function SearchPanel({ query: begun = '', filters: chosen = {} }: PanelOfKind<'search'>) {
  const t = searchTexts.value
  const body = useRef<HTMLDivElement>(null)
  const [query, setQuery] = useState(begun)
  const [filters, setFilters] = useState<SearchFilters>(chosen)
  const asked = useLate(query.trim())
  const limits = useLate(filters)
  useKept(asked, limits)
  useLayoutEffect(() => body.current?.querySelector('input')?.focus({ preventScroll: true }), [])
  return (
    <Panel title={texts.value.searchMessages}>
      <search class="panel-part" ref={body}>
        <Field
          label={t.query}
          hint={t.queryHint}
          value={query}
          change={setQuery}
          input={{ type: 'search', maxLength: LONGEST, dir: 'auto', autocomplete: 'off', enterkeyhint: 'search' }}
        />
        <FilterFields filters={filters} change={setFilters} />
      </search>
      {asked === '' ? (
        <Empty title={t.searchFor} hint={t.searchForHint} />
      ) : (
        <Results key={JSON.stringify([asked, limits])} query={asked} filters={limits} />
      )}
    </Panel>
  )
}

/** Who comes back to the panel finds what they searched for, however soon after a step they load the page anew. */
function useKept(query: string, filters: SearchFilters): void {
  const shown = route.value
  useLayoutEffect(() => {
    turnStep({ panel: { kind: 'search', query, filters } })
  }, [query, filters, shown])
}

function Results({ query, filters }: { query: string; filters: SearchFilters }) {
  const t = searchTexts.value
  const { chat } = usePresent()
  const [pending, setPending] = useState(0)
  const ask = useMemo(() => {
    const search: typeof chat.ask.search = async (params, options) => {
      const page = await chat.ask.search(params, options)
      setPending(page.pending)
      return page
    }
    return search
  }, [chat])
  const list = usePages('', () => pagesOf(ask, { query, ...paramsOf(filters) }, 'results'))
  const { items, isLoading, hasMore, error } = list
  const count = t.found(items.length, !hasMore)
  useEffect(() => {
    if (!isLoading && !error) announce(items.length === 0 ? t.nothingFound : count)
  }, [isLoading])
  if (error?.code === 'not_implemented') return <Empty title={t.searchOff} />
  if (error?.code === 'bad_request' && error.field === 'query') return <p class="panel-part error">{t.badQuery}</p>
  return (
    <>
      {!isLoading && items.length > 0 && <p class="panel-part hint">{count}</p>}
      {pending > 0 && <p class="panel-part notice">{t.pending(pending)}</p>}
      <PageList
        list={list}
        label={t.results}
        empty={<Empty title={t.nothingFound} hint={t.nothingFoundHint} />}
        row={({ message }, isEntry) => (
          <FoundMessage key={message.id} room={message.room} message={message} isEntry={isEntry} query={query} />
        )}
      />
    </>
  )
}
