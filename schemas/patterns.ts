/** Descriptions of the patterns used in schemas, for error messages. */
const WORDS: Readonly<Record<string, string>> = {
  '^[a-z0-9.+-]+/([a-z0-9.+-]+|\\*)$': 'a media type in small letters, such as image/png or image/*',
  '^(\\*\\.)?[a-z0-9.-]+$': 'a host in small letters, such as cdn.example.com or *.example.com',
  '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$': 'an id of letters, digits, _ and -, at most 64',
  '^https?://': 'an http:// or https:// address',
  '^(\\*|[a-z]+\\.(\\*|[a-z]+))$': 'an event such as message.sent, message.* or *',
  '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$': 'whsec_ and 24 to 64 bytes in base64',
  '^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$': 'a role of letters, digits, . _ : and -, at most 64',
  '^[0-9a-f]{32}$': 'the id of a file: 32 hexadecimal digits',
  '^[A-Za-z0-9][A-Za-z0-9._:@|~-]{0,299}$': 'a name of letters, digits, . _ : @ | ~ and -, at most 300',
  '^[A-Za-z0-9_-]{43}$': 'a SHA-256 in base64url: 43 letters, digits, _ and -',
  '^[A-Za-z0-9+/]*={0,2}$': 'base64',
  '^[a-z0-9][a-z0-9_-]{0,31}$': 'a name of small letters, digits, _ and -, at most 32',
}

/** Undefined: there is no description (a test checks that there is). */
export function patternWords(pattern: string): string | undefined {
  return WORDS[pattern]
}
