/**
 * Makes a clone ready to run, before `npm start` and `npm test`: dependencies installed, sources compiled, and `npx topictalk`
 * there. What is up to date is left alone, so that a second start takes no time. With --test also the strangers' programs that tests use.
 * Plain JavaScript without dependencies, as nothing is installed yet.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const CLI = join('dist', 'broker', 'cli.js')
/** What the build in dist was made of. Inside dist, so that it goes when dist goes. */
const STAMP = join('dist', '.sources.json')
/** The strangers' programs that tests talk to the broker with, and the Debian package of each. */
const STRANGERS = { mosquitto_pub: 'mosquitto-clients', curl: 'curl' }

process.chdir(root)
checkNode()
installDependencies()
build()
linkCommand()
if (process.argv.includes('--test')) installStrangers()

function checkNode() {
  const wanted = JSON.parse(readFileSync('package.json', 'utf8')).engines.node
  const least = Number(/\d+/.exec(wanted)[0])
  if (Number(process.versions.node.split('.')[0]) < least)
    stop(`TopicTalk needs Node ${wanted}; this is ${process.version} (${process.execPath})`)
}

function installDependencies() {
  if (dependenciesMatch()) return
  say('installing dependencies …')
  const npm = process.env.npm_execpath
  const install = ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund']
  // The npm that runs us, where there is one; on Windows, `npm` alone is a script that needs a shell.
  const ran = /npm-cli\.js$/.test(npm ?? '') ? run(process.execPath, [npm, ...install]) : run('npm', install, true)
  if (!ran) stop('npm ci failed; the reason is above')
}

/** npm notes in node_modules what it has installed: it has to be what package-lock.json asks for. */
function dependenciesMatch() {
  const installed = readJson(join('node_modules', '.package-lock.json'))?.packages
  if (!installed) return false
  const { '': _, ...wanted } = readJson('package-lock.json').packages
  const names = new Set([...Object.keys(wanted), ...Object.keys(installed)])
  for (const name of names) {
    // Optional packages are for other platforms; npm leaves them out.
    if (!installed[name] && wanted[name].optional) continue
    if (installed[name]?.integrity !== wanted[name]?.integrity || !wanted[name] || !installed[name]) return false
  }
  return true
}

function build() {
  const sources = hashSources()
  const built = readJson(STAMP)
  if (built && existsSync(CLI) && JSON.stringify(built) === JSON.stringify(sources)) return
  say('building …')
  // tsc never deletes: what a removed source left behind would still be found, and run.
  if (!built || Object.keys(built).some((file) => !(file in sources))) rmSync('dist', { recursive: true, force: true })
  else rmSync(STAMP)
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc')
  if (!run(process.execPath, [tsc, '-p', 'tsconfig.json'])) stop('the build failed; the reason is above')
  writeFileSync(STAMP, JSON.stringify(sources))
}

/** Contents, not times: a git checkout changes times. */
function hashSources() {
  const { include } = JSON.parse(readFileSync('tsconfig.json', 'utf8'))
  const files = include.filter((folder) => existsSync(folder)).flatMap(typeScriptIn)
  const hashes = ['package-lock.json', 'tsconfig.json', ...files].sort().map((file) => [file, hash(file)])
  return Object.fromEntries(hashes)
}

function typeScriptIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? typeScriptIn(path) : entry.name.endsWith('.ts') ? [path] : []
  })
}

function hash(file) {
  return createHash('sha256').update(readFileSync(file)).digest('base64')
}

/** npm links the commands of dependencies only; with our own beside them, `npx topictalk` runs it without asking a registry. */
function linkCommand() {
  const bin = join('node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  if (process.platform === 'win32') {
    writeFileSync(join(bin, 'topictalk.cmd'), `@node "%~dp0\\..\\..\\${CLI}" %*\r\n`)
    return
  }
  chmodSync(CLI, 0o755)
  const link = join(bin, 'topictalk')
  const target = join('..', '..', CLI)
  if (linkTarget(link) === target) return
  rmSync(link, { force: true })
  symlinkSync(target, link)
}

function linkTarget(link) {
  try {
    return readlinkSync(link)
  } catch {
    return null
  }
}

function installStrangers() {
  const missing = Object.keys(STRANGERS).filter((program) => !onPath(program))
  if (missing.length === 0) return
  const packages = missing.map((program) => STRANGERS[program])
  const canInstall = process.getuid?.() === 0 && onPath('apt-get')
  if (!canInstall)
    stop(
      `the tests need ${missing.join(' and ')}: install ${packages.join(' and ')} (mosquitto-clients is called mosquitto on macOS and Arch)`,
    )
  say(`installing ${packages.join(' and ')} …`)
  const quiet = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // A package list that cannot be refreshed may still do.
  run('apt-get', ['update', '-qq'], false, quiet)
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  if (!run('apt-get', install, false, quiet))
    stop(`apt-get could not install ${packages.join(' and ')}; the reason is above`)
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}

/** Runs a program to its end; what it prints is shown only when it fails. */
function run(command, args, shell = false, env = process.env) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    shell,
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status === 0) return true
  process.stderr.write([stdout, stderr, error?.message].filter(Boolean).join('\n'))
  process.stderr.write('\n')
  return false
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

function say(text) {
  console.log(text)
}

function stop(reason) {
  console.error(reason)
  process.exit(1)
}
