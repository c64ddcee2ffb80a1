import type { Policy } from '../policy.ts'
import type { World } from '../world.ts'
import { filterChains } from './filter-chains.ts'
import type { Block, FilterChain, FilterRule } from './filter-chains.ts'

export type IptablesMode = 'stateful' | 'stateless'

const PROTOCOLS = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmpv6', 132: 'sctp' } as const
/** Says "allowed" from within a chain of exceptions, as Calico's accept mark does. */
const ACCEPT_MARK = '0x10000/0x10000'

const COMMENTS: { readonly [mode in IptablesMode]: string } = {
  stateful: `# Established connections are accepted first, as Calico and kube-router do: only new ones walk a pod's chain,
# and a rule that is taken away doesn't cut the connections that it let in.`,
  stateless: `# No connection tracking: every packet walks the chains, so replies need rules of their own. They stand last and go by what
# the packet shows: TCP that isn't a SYN, UDP and SCTP from a port that the other direction allows, echo replies.
# A peer can so send lone packets that belong to no connection; it can't begin one. UDP replies to a pod that may
# send to every port can't be told from requests, and are dropped. Denied TCP is denied at its SYN.`,
}

/**
 * Input of iptables-restore (ip6tables-restore for family 6) for a node that routes between its pods; it replaces the
 * filter table. `mm-out-ID` judges what a pod sends, `mm-in-ID` what it is sent; a chain's last rule counts what is denied by default.
 * @throws LabError for HTTP rules.
 */
export function iptablesRules(
  policies: readonly Policy[],
  world: World,
  mode: IptablesMode,
  family: 4 | 6 = 4,
): string {
  const chains = filterChains(policies, world, family)
  const hosts = world.hostAddresses.filter((address) => address.includes(':') === (family === 6))
  const lines = new Lines()
  for (const chain of chains) {
    const other = chains.find(({ endpoint, direction }) => endpoint === chain.endpoint && direction !== chain.direction)
    writeChain(lines, chain, mode === 'stateless' ? replies(chain, other, hosts, family) : [], mode)
  }
  const hooks: string[] = []
  if (mode === 'stateful' && chains.length > 0) {
    for (const hook of ['INPUT', 'FORWARD']) {
      hooks.push(`-A ${hook} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`)
    }
  }
  // What a pod sends to the node goes through INPUT; what the node sends to its pods is always let through.
  for (const chain of chains) {
    for (const { text } of chain.addresses) {
      if (chain.direction === 'ingress') hooks.push(`-A FORWARD -d ${text} -j ${nameOf(chain)}`)
      else hooks.push(...['INPUT', 'FORWARD'].map((hook) => `-A ${hook} -s ${text} -j ${nameOf(chain)}`))
    }
  }
  // Egress before ingress: a packet between two pods has to pass both.
  hooks.sort((a, b) => order(a) - order(b))
  return [
    COMMENTS[mode],
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD ACCEPT [0:0]',
    ':OUTPUT ACCEPT [0:0]',
    ...lines.chains.map((name) => `:${name} - [0:0]`),
    ...hooks,
    ...lines.rules,
    'COMMIT',
    '',
  ].join('\n')
}

function order(hook: string): number {
  return hook.includes('conntrack') ? 0 : hook.includes(' -s ') ? 1 : 2
}

class Lines {
  readonly chains: string[] = []
  readonly rules: string[] = []
}

function nameOf({ direction, endpoint }: FilterChain): string {
  return `mm-${direction === 'ingress' ? 'in' : 'out'}-${endpoint.id}`
}

function writeChain(lines: Lines, chain: FilterChain, replyRules: readonly string[], mode: IptablesMode): void {
  const name = nameOf(chain)
  const flag = chain.direction === 'ingress' ? '-s' : '-d'
  lines.chains.push(name)
  const body: string[] = []
  let subchains = 0
  /** Runs a line for each block of peers; exceptions get a chain of their own. */
  const write = (rule: FilterRule, matches: readonly string[], verdict: 'DROP' | 'RETURN'): void => {
    for (const block of rule.peers === 'any' ? [undefined] : rule.peers) {
      const peer = peerMatch(flag, block)
      for (const match of matches) {
        if (!block || block.except.length === 0) {
          body.push(line(name, peer, match, verdict))
          continue
        }
        const exceptions = `${name}-${subchains++}`
        lines.chains.push(exceptions)
        for (const { text } of block.except) lines.rules.push(`-A ${exceptions} ${flag} ${text} -j RETURN`)
        lines.rules.push(
          verdict === 'DROP' ? `-A ${exceptions} -j DROP` : `-A ${exceptions} -j MARK --set-xmark ${ACCEPT_MARK}`,
        )
        body.push(line(name, peer, match, exceptions))
        if (verdict === 'RETURN') body.push(`-A ${name} -m mark --mark ${ACCEPT_MARK} -j RETURN`)
      }
    }
  }
  for (const rule of chain.deny)
    write(rule, mode === 'stateless' ? beginnings(rule) : [portMatch(rule, '--dport')], 'DROP')
  for (const rule of chain.allow) write(rule, [portMatch(rule, '--dport')], 'RETURN')
  if (body.some((text) => text.includes('--mark'))) {
    body.unshift(`-A ${name} -j MARK --set-xmark 0x0/${ACCEPT_MARK.split('/')[1] ?? ''}`)
  }
  lines.rules.push(...body, ...(chain.defaultDeny ? [...replyRules, `-A ${name} -j DROP`] : []))
}

function line(chain: string, peer: string, match: string, target: string): string {
  return ['-A', chain, peer, match, '-j', target].filter((part) => part !== '').join(' ')
}

function peerMatch(flag: '-s' | '-d', block: Block | undefined): string {
  return block && block.within.length > 0 ? `${flag} ${block.within.text}` : ''
}

function portMatch({ protocol, first, last }: FilterRule, flag: '--dport' | '--sport'): string {
  if (protocol === 0) return ''
  const ports = first === 0 && last === 65535 ? '' : ` ${flag} ${first === last ? first : `${first}:${last}`}`
  return `-p ${PROTOCOLS[protocol]}${ports}`
}

/** A denied rule without connection tracking: TCP at its SYN, for replies to the pod's own connections come from there too. */
function beginnings(rule: FilterRule): string[] {
  if (rule.protocol === 6) return [`${portMatch(rule, '--dport')} --syn`]
  return rule.protocol === 0 ? ['-p tcp --syn', '! -p tcp'] : [portMatch(rule, '--dport')]
}

/** Lines that let replies into a pod's chain: to what its other chain allows, or to anything if it has none. */
function replies(
  chain: FilterChain,
  other: FilterChain | undefined,
  hosts: readonly string[],
  family: 4 | 6,
): string[] {
  const name = nameOf(chain)
  const flag = chain.direction === 'ingress' ? '-s' : '-d'
  const echo = family === 4 ? '-p icmp --icmp-type echo-reply' : '-p icmpv6 --icmpv6-type echo-reply'
  const generic = ['-p tcp ! --syn', echo]
  if (!other || !other.defaultDeny) return generic.map((match) => line(name, '', match, 'RETURN'))
  // The node may always reach its pods, so they may always answer it.
  const toHost =
    chain.direction === 'egress'
      ? hosts.flatMap((host) => generic.map((match) => line(name, `-d ${host}`, match, 'RETURN')))
      : []
  const toRules = other.allow.flatMap((rule) => {
    const matches = replyMatches(rule, generic)
    return (rule.peers === 'any' ? [undefined] : rule.peers).flatMap((block) =>
      // Exceptions don't matter: nobody there can have begun a connection that would be answered.
      matches.map((match) => line(name, peerMatch(flag, block), match, 'RETURN')),
    )
  })
  return [...toHost, ...toRules]
}

function replyMatches(rule: FilterRule, generic: readonly string[]): readonly string[] {
  const everyPort = rule.first === 0 && rule.last === 65535
  if (rule.protocol === 0) return generic
  if (rule.protocol === 6) return [`${portMatch(rule, '--sport')} ! --syn`]
  return everyPort ? [] : [portMatch(rule, '--sport')]
}
