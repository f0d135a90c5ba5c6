import t from 'tap'
import { printJson } from '../../broker/cli/output.js'
import { onOneLine } from '../../schemas/terminal-text.js'

t.test('nothing a user wrote steers the terminal of who reads it', async (t) => {
  t.equal(onOneLine('x \u009b31m \u001b[2J \u202egnp.exe'), 'x \\u{9b}31m \\u{1b}[2J \\u{202e}gnp.exe')
  t.equal(onOneLine('two\nlines\r\u2028\u0007'), 'two\\u{a}lines\\u{d}\\u{2028}\\u{7}')
  t.equal(onOneLine('a\u200bb \u{e0041}'), 'a\\u{200b}b \\u{e0041}', 'nor hides in it')
  t.equal(onOneLine('👩‍👩‍👧 नमस्ते öß'), '👩‍👩‍👧 नमस्ते öß')
})

t.test('JSON is the same to who parses it', async (t) => {
  const value = { text: 'x \u009b31m \u202e \u{e0041}\n', list: ['a'] }
  const { log } = console
  let printed = ''
  console.log = (text: string) => {
    printed = text
  }
  try {
    printJson(value)
  } finally {
    console.log = log
  }
  t.same(JSON.parse(printed), value)
  t.notMatch(printed, /[\u009b\u202e]/)
})
