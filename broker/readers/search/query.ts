/** What a user types into a search field, as an expression of FTS5: words (all of them), "phrases", beginnings of words (wor*). */
import { Refusal } from '../../../schemas/errors.js'
import { pairsOf, type Run, runsOf, wordsOf } from './words.js'

/** Words and phrases of one query. */
const MAX_TERMS = 16
/** Letters that a beginning needs: shorter ones would find nearly everything. */
const LEAST_PREFIX = 2

/** A phrase in quotes or a word, and whether a star follows. */
const TERM = /"([^"]*)"(\*?)|([^\s"]+)/g

/** Throws a refusal that says what is wrong. */
export function compileQuery(query: string): string {
  if ((query.split('"').length - 1) % 2 === 1) throw wrong('a quotation mark is not closed')
  const terms = [...query.matchAll(TERM)].flatMap(([, phrase, star, word]) =>
    phrase === undefined ? wordTerm(word!) : term(phrase, star === '*'),
  )
  if (terms.length === 0) throw wrong('there is no word to look for')
  if (terms.length > MAX_TERMS) throw wrong(`at most ${MAX_TERMS} words and phrases are looked for at once`)
  return terms.join(' AND ')
}

function wordTerm(word: string): string[] {
  const star = word.endsWith('*')
  const plain = star ? word.slice(0, -1) : word
  if (plain.includes('*')) throw wrong('a * stands at the end of a word only')
  if (star && plain === '') throw wrong('a * follows the beginning of a word')
  return term(plain, star)
}

/** Nothing where there is no word in it. What punctuation divides is looked for as a phrase. */
function term(text: string, star: boolean): string[] {
  const runs = runsOf(text)
  const last = runs.pop()
  if (!last) return []
  if (star && !last.unspaced && last.text.length < LEAST_PREFIX)
    throw wrong(`at least ${LEAST_PREFIX} letters stand before a *`)
  // All but the last end where they end in the text, too.
  const { words, open } = ending(last, star)
  return [`"${[...runs.flatMap(wordsOf), ...words].join(' ')}"${open ? ' *' : ''}`]
}

/** The text may go on behind the query. `open`: the last word is the beginning of one. */
function ending(run: Run, star: boolean): { words: string[]; open: boolean } {
  if (!run.unspaced) return { words: wordsOf(run), open: star }
  const pairs = pairsOf(run.text)
  return pairs.length > 0 ? { words: pairs, open: false } : { words: [run.text], open: true }
}

function wrong(message: string): Refusal {
  return new Refusal('bad_request', message, { field: 'query' })
}
