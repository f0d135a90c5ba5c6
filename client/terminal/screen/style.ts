/** Colours and signs, as far as the terminal has them. Nothing is told by colour alone. */

export interface Style {
  /** Less important. */
  dim(text: string): string
  bold(text: string): string
  /** For the status line. */
  reverse(text: string): string
  /** The name of a user, in a colour of their own. */
  name(text: string, user: string): string
  warning(text: string): string
  readonly signs: Signs
}

export interface Signs {
  readonly vertical: string
  readonly horizontal: string
  readonly more: string
  readonly newline: string
  readonly answer: string
  readonly dot: string
}

const UNICODE: Signs = { vertical: '│', horizontal: '─', more: '…', newline: '↵', answer: '↳', dot: '·' }
const ASCII: Signs = { vertical: '|', horizontal: '-', more: '~', newline: '\\', answer: '>', dot: '-' }

/** Of 16 colours those that can be read on black and on white. */
const FEW = [31, 32, 35, 36, 33, 34]
/** Of 256. */
const MANY = [166, 35, 62, 133, 67, 136, 97, 72, 168, 31, 101, 131]

/** `depth`: bits of colour, as `tty.WriteStream.getColorDepth` says; 1: none. */
export function styleOf(depth: number, isUnicode: boolean): Style {
  const sgr = (codes: string) => (text: string) => (text === '' ? '' : `\x1b[${codes}m${text}\x1b[0m`)
  const colour = (codes: string) => (depth > 1 ? sgr(codes) : (text: string) => text)
  return {
    dim: depth > 1 ? sgr('2') : (text) => text,
    bold: sgr('1'),
    reverse: sgr('7'),
    name: (text, user) => colour(colourOf(user, depth))(text),
    warning: colour('33'),
    signs: isUnicode ? UNICODE : ASCII,
  }
}

function colourOf(user: string, depth: number): string {
  let hash = 0
  for (const character of user) hash = (hash * 31 + character.codePointAt(0)!) >>> 0
  return depth >= 8 ? `38;5;${MANY[hash % MANY.length]}` : `${FEW[hash % FEW.length]}`
}

/** Whether the locale is one of UTF-8. */
export function isUtf8(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return locale === '' ? platform === 'win32' || platform === 'darwin' : /utf-?8/i.test(locale)
}
