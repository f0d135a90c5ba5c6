/** What messages may not say, and what they may hold: as the configuration and commands take it. */
import Type, { type Static } from 'typebox'

/** Filters in one list. */
export const MAX_FILTERS = 100
/** Patterns of one filter of words. */
export const MAX_WORDS = 1000
/** Patterns of one filter of regular expressions, which cost more to look for. */
export const MAX_REGEXES = 100
/** Characters of one pattern. */
const MAX_PATTERN = 256

export const Filter = Type.Object(
  {
    match: Type.Enum(['words', 'regex'], {
      description:
        'words: whole words and phrases, in any case and Unicode form; parts of words in scripts without spaces. regex: RE2 syntax.',
    }),
    patterns: Type.Array(Type.String({ minLength: 1, maxLength: MAX_PATTERN }), {
      minItems: 1,
      maxItems: MAX_WORDS,
      description: `The patterns: at most ${MAX_WORDS} words, or ${MAX_REGEXES} regular expressions.`,
    }),
    action: Type.Enum(['refuse', 'mask', 'report'], {
      description:
        'refuse: the message is refused. mask: matches are replaced by asterisks. report: the message is accepted, and moderators are told.',
    }),
    rooms: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 1000,
        description: 'Only in these rooms; left out: everywhere, direct conversations included.',
      }),
    ),
  },
  { title: 'Filter', additionalProperties: false, description: 'What messages may not say.' },
)
export type Filter = Static<typeof Filter>
