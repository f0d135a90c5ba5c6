/** Finds where sources cite clauses, and in tests the test that does. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** A clause such as MQTT-3.1.2-24, or a section such as MQTT5-4.10, and who names it. */
export interface Citation {
  readonly id: string
  readonly file: string
  /** Titles from the outermost test inwards, then the case; empty outside tests. */
  readonly test: string
}

/** One clause, or several: MQTT5-3.3.1-9…11. */
const REFERENCE = /\b(MQTT5?-\d+(?:\.\d+)*)(?:-(\d+)(?:…(\d+))?)?/g
const IN_BRACKETS = /\s*\[MQTT5?-\d[^\]]*\]/g

export function citationsIn(...folders: string[]): Citation[] {
  return folders.flatMap(sources).flatMap((file) => citationsOf(file, readFileSync(join(ROOT, file), 'utf8')))
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !join(folder, name).startsWith(join('test', 'conformance')))
    .sort()
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
}

export function citationsOf(file: string, source: string): Citation[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true)
  return [...source.matchAll(REFERENCE)].flatMap((match) => {
    const test = file.endsWith('.test.ts') ? testAt(tree, match.index) : ''
    return idsOf(match).map((id) => ({ id, file, test }))
  })
}

function idsOf([, section = '', first, last]: RegExpMatchArray): string[] {
  if (first === undefined) return [section]
  const from = Number(first)
  const to = Number(last ?? first)
  return Array.from({ length: to - from + 1 }, (_, i) => `${section}-${from + i}`)
}

/** The test and the case at a position of a source. */
function testAt(tree: ts.SourceFile, at: number): string {
  const names: string[] = []
  for (let node: ts.Node | undefined = nodeAt(tree, at); node; node = node.parent) {
    if (isText(node) && !isTitle(node) && at >= node.getStart()) names.unshift(nameOf(node))
    if (!ts.isCallExpression(node) || !isTest(node)) continue
    const title = node.arguments[0]
    if (title && isText(title)) names.unshift(nameOf(title))
  }
  return names.filter((name) => name !== '').join(' › ')
}

/** The innermost node around a position, the comments before it included. */
function nodeAt(node: ts.Node, at: number): ts.Node {
  const inner = ts.forEachChild(node, (child) => (at >= child.pos && at < child.end ? child : undefined))
  return inner ? nodeAt(inner, at) : node
}

type Text = ts.StringLiteralLike | ts.TemplateExpression

function isText(node: ts.Node): node is Text {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
}

function isTitle(node: Text): boolean {
  return ts.isCallExpression(node.parent) && isTest(node.parent) && node.parent.arguments[0] === node
}

function isTest({ expression }: ts.CallExpression): boolean {
  return ts.isPropertyAccessExpression(expression) && expression.name.text === 'test'
}

/** What a text says, without the clauses it cites; `…` for what a template fills in. */
function nameOf(node: Text): string {
  const text = ts.isTemplateExpression(node)
    ? [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('…')
    : node.text
  return text.replaceAll(IN_BRACKETS, '').trim()
}
