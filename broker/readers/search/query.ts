/** Compiles a user's search text to an FTS5 expression: words (all of them), "phrases", and prefixes (wor*). */
import { Refusal } from '../../../schemas/errors.js'
import { type Run, runsOf } from '../../util/word-runs.js'
import { pairsOf, wordsOf } from './words.js'

/** Most words and phrases of one query. */
const MAX_TERMS = 16
/** Shortest prefix in letters: a shorter one would match nearly everything. */
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

/** Empty if the text has no word. Parts separated by punctuation are searched as a phrase. */
function term(text: string, star: boolean): string[] {
  const runs = runsOf(text)
  const last = runs.pop()
  if (!last) return []
  if (star && !last.unspaced && last.text.length < LEAST_PREFIX)
    throw wrong(`at least ${LEAST_PREFIX} letters stand before a *`)
  // All runs but the last end in the text where they end in the query.
  const { words, open } = ending(last, star)
  return [`"${[...runs.flatMap(wordsOf), ...words].join(' ')}"${open ? ' *' : ''}`]
}

/** The terms of the last run of a phrase. `open`: the last term is a prefix, since the text may continue. */
function ending(run: Run, star: boolean): { words: string[]; open: boolean } {
  if (!run.unspaced) return { words: wordsOf(run), open: star }
  const pairs = pairsOf(run.text)
  return pairs.length > 0 ? { words: pairs, open: false } : { words: [run.text], open: true }
}

function wrong(message: string): Refusal {
  return new Refusal('bad_request', message, { field: 'query' })
}
