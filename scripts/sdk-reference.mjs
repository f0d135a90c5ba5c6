/** Writes docs/sdk-reference.md: what each entry of the SDK exports, from the types and comments of its sources. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** Entries of the package that are the SDK, in the order of the page. What one exports again is said where it was first. */
const ENTRIES = /^\.\/client(\/|$)/

const COMMENTS = /\/\*\*[\s\S]*?\*\//g

const HEAD = `<!-- Made by \`npm run schemas\` from the sources of client/. -->

# SDK reference

What the entries of the [SDK](sdk.md) export. The methods of \`chat.ask\` are the [requests](reference.md) of the broker.`

/** Its members are those of docs/reference.md. */
const ELSEWHERE = new Set(['Methods'])

/** @param root Of the repository. */
export function sdkReference(root) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const entries = Object.entries(exports)
    .filter(([name]) => ENTRIES.test(name))
    .sort(([a], [b]) => a.length - b.length)
    .map(([name, { types }]) => ({ name: name.replace('.', 'topictalk'), path: join(root, sourceOf(types)) }))
  const program = ts.createProgram(
    entries.map(({ path }) => path),
    { strict: true, noEmit: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022 },
  )
  const checker = program.getTypeChecker()
  const known = new Set()
  const parts = [HEAD]
  for (const { name, path } of entries) {
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)))
    const symbols = exported.map((symbol) => resolved(symbol, checker)).filter((symbol) => !known.has(symbol))
    for (const symbol of symbols) known.add(symbol)
    parts.push(`## \`${name}\``, ...symbols.sort(inOrder).flatMap((symbol) => written(symbol, checker)))
  }
  return `${parts.join('\n\n')}\n`
}

/** Of the types that are built of it. */
function sourceOf(types) {
  return types.replace('./dist/', '').replace('.d.ts', '.ts')
}

function resolved(symbol, checker) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** Functions, and constants that are some; then classes, then types; each by name. */
function inOrder(a, b) {
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1)
}

function rank({ declarations: [declaration] }) {
  return ts.isFunctionDeclaration(declaration) || ts.isVariableDeclaration(declaration)
    ? 0
    : ts.isClassDeclaration(declaration)
      ? 1
      : 2
}

function written(symbol, checker) {
  const [declaration] = symbol.declarations
  const parts = [`### ${symbol.name}`]
  if (ts.isFunctionDeclaration(declaration)) parts.push(code(`${symbol.name}${signatureOf(declaration, checker)}`))
  if (ts.isVariableDeclaration(declaration)) parts.push(code(`${symbol.name}: ${typeOf(declaration, checker)}`))
  if (ts.isTypeAliasDeclaration(declaration)) parts.push(code(declarationText(declaration)))
  const doc = docOf(declaration, checker)
  if (doc) parts.push(doc)
  if (ELSEWHERE.has(symbol.name)) return parts
  const members = (declaration.members ?? []).filter(isShown)
  if (members.length > 0) parts.push(members.map((member) => memberText(member, checker)).join('\n'))
  return parts
}

/** What nobody outside is given: private names, and constructors but those of errors. */
function isShown(member) {
  const isPrivate = ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private
  return !isPrivate && member.name?.kind !== ts.SyntaxKind.PrivateIdentifier && !ts.isConstructorDeclaration(member)
}

function memberText(member, checker) {
  const doc = docOf(member, checker)
  return `- \`${memberSignature(member, checker)}\`${doc ? `: ${doc.replaceAll('\n', ' ')}` : ''}`
}

function memberSignature(member, checker) {
  const name = member.name?.getText() ?? ''
  const isCalled =
    ts.isMethodDeclaration(member) || ts.isMethodSignature(member) || ts.isCallSignatureDeclaration(member)
  if (isCalled) return `${name}${signatureOf(member, checker)}`
  return `${name}${member.questionToken ? '?' : ''}: ${typeOf(member, checker)}`
}

function signatureOf(declaration, checker) {
  const { typeParameters, parameters, type } = declaration
  const generic = typeParameters ? `<${typeParameters.map((one) => flat(one.getText())).join(', ')}>` : ''
  const given = parameters.map((parameter) => parameterText(parameter, checker)).join(', ')
  const returned = type ? flat(type.getText()) : returnedBy(declaration, checker)
  return `${generic}(${given}): ${returned}`
}

function returnedBy(declaration, checker) {
  return checker.typeToString(checker.getReturnTypeOfSignature(checker.getSignatureFromDeclaration(declaration)))
}

/** What is taken apart is called `options`; a default makes it optional. */
function parameterText(parameter, checker) {
  const { name, initializer, questionToken, dotDotDotToken } = parameter
  const called = ts.isIdentifier(name) ? name.text : 'options'
  const optional = initializer || questionToken ? '?' : ''
  return `${dotDotDotToken ? '...' : ''}${called}${optional}: ${typeOf(parameter, checker)}`
}

/** As it is written, or else as it is inferred. */
function typeOf(declaration, checker) {
  return declaration.type
    ? flat(declaration.type.getText())
    : checker.typeToString(checker.getTypeAtLocation(declaration))
}

/** Without its comments, which are between the members of what it is made of. */
function declarationText(declaration) {
  const source = declaration.getSourceFile().text.slice(declaration.getStart(), declaration.end)
  const lines = source.replace(COMMENTS, '').split('\n')
  return lines
    .filter((line) => line.trim() !== '')
    .join('\n')
    .replace(/^export /, '')
}

/** On one line, without comments. */
function flat(text) {
  const lines = text.replace(COMMENTS, '').split(/\s*\n\s*/)
  return lines.reduce((all, line) =>
    /[\w>)\]}'"]$/.test(all) && /^\w/.test(line) ? `${all}; ${line}` : `${all} ${line}`,
  )
}

function docOf(declaration, checker) {
  const symbol = declaration.symbol ?? checker.getSymbolAtLocation(declaration.name)
  const text = symbol ? ts.displayPartsToString(symbol.getDocumentationComment(checker)) : ''
  const tags = ts.getJSDocTags(declaration).map(tagText).filter(Boolean)
  return [text, ...tags].filter(Boolean).join(' ').replaceAll('\n', ' ')
}

function tagText(tag) {
  const comment = ts.getTextOfJSDocComment(tag.comment) ?? ''
  if (tag.tagName.text === 'throws') return `Throws ${comment}.`
  if (tag.tagName.text === 'param') return `\`${tag.name.getText()}\`: ${comment}.`
  return ''
}

function code(text) {
  return `\`\`\`ts\n${text}\n\`\`\``
}
