/** Access control by `acl.rules`: who may publish and subscribe on topics outside rooms, users and broadcast. */
import { type AclRule, ConfigError } from '../../schemas/config.js'
import { ANONYMOUS, isAccountName } from '../../schemas/ids.js'
import { isReservedLevel, topicFilterFault } from '../../schemas/topics.js'
import { covers, intersection, type Levels, matches } from './filter-algebra.js'
import type { Acl, Principal } from './principal.js'

/** A filter of a rule: compiled, or a template with `{user}` and `{client}`. */
type Pattern = { levels: Levels } | { template: string }

interface Rule {
  allow: boolean
  publish: boolean
  subscribe: boolean
  appliesTo: (who: Principal) => boolean
  /** Whether the rule could apply to some login of the user, whose roles are not known. */
  couldApplyTo: (who: Principal) => boolean
  patterns: readonly Pattern[]
}

/** The rules that apply to one client, with placeholders filled in. */
interface View {
  clientId: string
  publish: readonly Verdict[]
  subscribe: readonly Verdict[]
}

interface Verdict {
  allow: boolean
  filters: readonly Levels[]
}

/** Throws a `ConfigError` that names the invalid rules. */
export function createAcl(rules: readonly AclRule[]): RuleAcl {
  return new RuleAcl(compile(rules))
}

export class RuleAcl implements Acl {
  #rules: readonly Rule[]
  /** Caches the compiled rules of a principal. A principal belongs to one connection, so it has one client id. */
  #views = new WeakMap<Principal, View>()
  /** Caches the split levels of the last topic: the hub asks about the same topic once per subscriber. */
  #topic = ''
  #levels: Levels = ['']

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
  }

  /**
   * Replaces the rules; earlier answers have to be asked for again. Throws a `ConfigError` that names the invalid
   * rules, and then changes nothing.
   */
  replace(rules: readonly AclRule[]): void {
    this.#rules = compile(rules)
    this.#views = new WeakMap()
  }

  mayPublish(who: Principal, clientId: string, topic: string): boolean {
    return this.#decide(this.#view(who, clientId).publish, topic)
  }

  mayReceive(who: Principal, clientId: string, topic: string): boolean {
    return this.#decide(this.#view(who, clientId).subscribe, topic)
  }

  /** A deny rule for a role does not count here, since the login may not have the role. */
  couldReceive(user: string, clientId: string, topic: string): boolean {
    const who: Principal = { user, roles: NO_ROLES, anonymous: user === ANONYMOUS, expiresAt: null }
    const levels = topic.split('/')
    for (const { allow, subscribe, appliesTo: speaksTo, couldApplyTo: couldSpeakTo, patterns } of this.#rules) {
      if (!subscribe || !(allow ? couldSpeakTo(who) : speaksTo(who))) continue
      if (fillIn(patterns, user, clientId).some((filter) => matches(filter, levels))) return allow
    }
    return false
  }

  maySubscribe(who: Principal, clientId: string, filter: string): 'all' | 'some' | 'none' {
    const wanted = filter.split('/')
    const denied: Levels[] = []
    let some = false
    for (const { allow, filters } of this.#view(who, clientId).subscribe) {
      if (filters.some((candidate) => covers(candidate, wanted))) {
        if (!allow) return 'none'
        return denied.length === 0 ? 'all' : 'some'
      }
      const parts = filters.map((candidate) => intersection(candidate, wanted)).filter((part) => part !== null)
      if (!allow) denied.push(...parts)
      else some ||= parts.some((part) => !denied.some((earlier) => covers(earlier, part)))
    }
    return some ? 'some' : 'none'
  }

  #decide(verdicts: readonly Verdict[], topic: string): boolean {
    if (verdicts.length === 0) return false
    if (topic !== this.#topic) {
      this.#topic = topic
      this.#levels = topic.split('/')
    }
    for (const { allow, filters } of verdicts)
      for (const filter of filters) if (matches(filter, this.#levels)) return allow
    return false
  }

  #view(who: Principal, clientId: string): View {
    const known = this.#views.get(who)
    if (known?.clientId === clientId) return known
    const rules = this.#rules.filter((rule) => rule.appliesTo(who))
    const toVerdict = ({ allow, patterns }: Rule): Verdict => ({ allow, filters: fillIn(patterns, who.user, clientId) })
    const view = {
      clientId,
      publish: rules.filter((rule) => rule.publish).map(toVerdict),
      subscribe: rules.filter((rule) => rule.subscribe).map(toVerdict),
    }
    this.#views.set(who, view)
    return view
  }
}

const NO_ROLES: ReadonlySet<string> = new Set()

/** Values that would change the levels of a filter, or are empty. */
const UNSAFE_VALUE = /[/+#]|^$/
const PLACEHOLDER = /\{(user|client)\}/g

function fillIn(patterns: readonly Pattern[], user: string, client: string): Levels[] {
  const values: Record<string, string> = { user, client }
  return patterns.flatMap((pattern) => {
    if ('levels' in pattern) return [pattern.levels]
    const names = [...pattern.template.matchAll(PLACEHOLDER)].map((match) => match[1]!)
    if (names.some((name) => UNSAFE_VALUE.test(values[name]!))) return []
    const levels = pattern.template.replace(PLACEHOLDER, (_, name: string) => values[name]!).split('/')
    // Otherwise a user named `devices` would own all devices.
    return PLACEHOLDER_FIRST.test(pattern.template) && isReservedLevel(levels[0]!) ? [] : [levels]
  })
}

const PLACEHOLDER_FIRST = /^[^/]*\{(user|client)\}/

function compile(rules: readonly AclRule[]): Rule[] {
  const faults: string[] = []
  const compiled = rules.map((rule, i) => compileRule(rule, `acl.rules[${i}]`, faults))
  if (faults.length > 0) throw new ConfigError(faults)
  return compiled
}

function compileRule(rule: AclRule, name: string, faults: string[]): Rule {
  const action = rule.allow ?? rule.deny
  if ((rule.allow === undefined) === (rule.deny === undefined))
    faults.push(`${name}: needs allow or deny, and not both`)
  return {
    allow: rule.allow !== undefined,
    publish: action !== 'subscribe',
    subscribe: action !== 'publish',
    appliesTo: compileWho(rule.who, name, faults),
    couldApplyTo: rule.who.startsWith('role:') ? ({ anonymous }) => !anonymous : compileWho(rule.who, name, []),
    patterns: rule.topics.map((topic, i) => compilePattern(topic, `${name}.topics[${i}]`, faults)),
  }
}

function compileWho(who: string, name: string, faults: string[]): Rule['appliesTo'] {
  if (who === 'any') return () => true
  if (who === 'anonymous') return (principal) => principal.anonymous
  const [kind, value] = split(who, ':')
  if (kind === 'user' && isAccountName(value)) return (principal) => !principal.anonymous && principal.user === value
  if (kind === 'role' && value !== '') return (principal) => !principal.anonymous && principal.roles.has(value)
  faults.push(`${name}.who: expected any, anonymous, user:NAME or role:NAME, got ${JSON.stringify(who)}`)
  return () => false
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

const CLOSED_LEVELS: ReadonlySet<string> = new Set(['rooms', 'users', 'broadcast'])
/** Rules come from the operator, so only the protocol bounds their depth. */
const MAX_LEVELS = 65535

function compilePattern(topic: string, name: string, faults: string[]): Pattern {
  const bare = topic.replace(PLACEHOLDER, 'x')
  const first = topic.split('/')[0]!
  const fault = topicFilterFault(bare, MAX_LEVELS)
  if (fault !== null) faults.push(`${name}: ${JSON.stringify(topic)}: ${fault}`)
  else if (/[{}]/.test(bare))
    faults.push(`${name}: ${JSON.stringify(topic)}: only {user} and {client} can be filled in`)
  else if (CLOSED_LEVELS.has(first)) faults.push(`${name}: ${JSON.stringify(topic)}: rules cannot speak about ${first}`)
  else if (first.startsWith('$')) faults.push(`${name}: ${JSON.stringify(topic)}: rules cannot speak about $ topics`)
  return bare === topic ? { levels: topic.split('/') } : { template: topic }
}
