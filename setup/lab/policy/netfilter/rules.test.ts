import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { packageRoot } from '../../../../measure/package-root.ts'
import { parsePolicies } from '../parse.ts'
import type { Policy } from '../policy.ts'
import { scalePolicy } from '../scale-policy.ts'
import type { World } from '../world.ts'
import { iptablesRules } from './iptables.ts'
import { nftablesRules } from './nftables.ts'

const WORLD: World = {
  hostAddresses: ['10.246.0.1'],
  endpoints: [
    { id: 1, name: 'client', identity: 256, labels: { app: 'client' }, addresses: ['10.246.0.2'], ports: [] },
    { id: 2, name: 'stranger', identity: 257, labels: { app: 'stranger' }, addresses: ['10.246.0.3'], ports: [] },
    { id: 3, name: 'p0', identity: 258, labels: { app: 'http-echo' }, addresses: ['10.246.1.2'], ports: [] },
  ],
}

function example(name: string): Policy[] {
  return parsePolicies(readFileSync(join(packageRoot(), `manifests/policies/${name}.yaml`), 'utf8'), `${name}.yaml`)
}

test('l3-l4.yaml, stateful', () => {
  expect(iptablesRules(example('l3-l4'), WORLD, 'stateful')).toMatchInlineSnapshot(`
    "# Established connections are accepted first, as Calico and kube-router do: only new ones walk a pod's chain,
    # and a rule that is taken away doesn't cut the connections that it let in.
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :mm-in-3 - [0:0]
    -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    -A FORWARD -d 10.246.1.2/32 -j mm-in-3
    -A mm-in-3 -s 10.246.0.2/32 -p tcp --dport 8080 -j RETURN
    -A mm-in-3 -j DROP
    COMMIT
    "
  `)
})

test('l3-l4.yaml, stateless: established packets walk the rules before the line for replies', () => {
  expect(iptablesRules(example('l3-l4'), WORLD, 'stateless')).toMatchInlineSnapshot(`
    "# No connection tracking: every packet walks the chains, so replies need rules of their own. They stand last and go by what
    # the packet shows: TCP that isn't a SYN, UDP and SCTP from a port that the other direction allows, echo replies.
    # A peer can so send lone packets that belong to no connection; it can't begin one. UDP replies to a pod that may
    # send to every port can't be told from requests, and are dropped. Denied TCP is denied at its SYN.
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :mm-in-3 - [0:0]
    -A FORWARD -d 10.246.1.2/32 -j mm-in-3
    -A mm-in-3 -s 10.246.0.2/32 -p tcp --dport 8080 -j RETURN
    -A mm-in-3 -p tcp ! --syn -j RETURN
    -A mm-in-3 -p icmp --icmp-type echo-reply -j RETURN
    -A mm-in-3 -j DROP
    COMMIT
    "
  `)
})

test('l3-l4.yaml, nftables', () => {
  expect(nftablesRules(example('l3-l4'), WORLD)).toMatchInlineSnapshot(`
    "table ip meshmark_policy
    delete table ip meshmark_policy
    table ip meshmark_policy {
      set in_3_allow_flows {
        type ipv4_addr . inet_proto . inet_service
        elements = {
          10.246.0.2 . tcp . 8080,
        }
      }
      chain in_3 {
        ip saddr . meta l4proto . th dport @in_3_allow_flows return
        counter drop
      }
      chain forward {
        type filter hook forward priority filter; policy accept;
        ct state established,related accept
        ip daddr vmap { 10.246.1.2 : jump in_3 }
      }
      chain input {
        type filter hook input priority filter; policy accept;
        ct state established,related accept
      }
    }
    "
  `)
})

test('exceptions, deny and both directions', () => {
  const policies = parsePolicies(
    `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: p }
spec:
  endpointSelector: { matchLabels: { app: http-echo } }
  ingress:
    - fromCIDRSet: [{ cidr: 10.0.0.0/8, except: [10.1.0.0/16] }]
  ingressDeny:
    - fromEndpoints: [{ matchLabels: { app: stranger } }]
  egress:
    - toEntities: [world]
      toPorts: [{ ports: [{ port: "53", protocol: UDP }, { port: "80", endPort: 90, protocol: TCP }] }]
`,
    'p.yaml',
  )
  expect(iptablesRules(policies, WORLD, 'stateless')).toMatchInlineSnapshot(`
    "# No connection tracking: every packet walks the chains, so replies need rules of their own. They stand last and go by what
    # the packet shows: TCP that isn't a SYN, UDP and SCTP from a port that the other direction allows, echo replies.
    # A peer can so send lone packets that belong to no connection; it can't begin one. UDP replies to a pod that may
    # send to every port can't be told from requests, and are dropped. Denied TCP is denied at its SYN.
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :mm-out-3 - [0:0]
    :mm-out-3-0 - [0:0]
    :mm-out-3-1 - [0:0]
    :mm-in-3 - [0:0]
    :mm-in-3-0 - [0:0]
    -A INPUT -s 10.246.1.2/32 -j mm-out-3
    -A FORWARD -s 10.246.1.2/32 -j mm-out-3
    -A FORWARD -d 10.246.1.2/32 -j mm-in-3
    -A mm-out-3-0 -d 10.246.0.1/32 -j RETURN
    -A mm-out-3-0 -d 10.246.0.2/32 -j RETURN
    -A mm-out-3-0 -d 10.246.0.3/32 -j RETURN
    -A mm-out-3-0 -d 10.246.1.2/32 -j RETURN
    -A mm-out-3-0 -j MARK --set-xmark 0x10000/0x10000
    -A mm-out-3-1 -d 10.246.0.1/32 -j RETURN
    -A mm-out-3-1 -d 10.246.0.2/32 -j RETURN
    -A mm-out-3-1 -d 10.246.0.3/32 -j RETURN
    -A mm-out-3-1 -d 10.246.1.2/32 -j RETURN
    -A mm-out-3-1 -j MARK --set-xmark 0x10000/0x10000
    -A mm-out-3 -j MARK --set-xmark 0x0/0x10000
    -A mm-out-3 -p udp --dport 53 -j mm-out-3-0
    -A mm-out-3 -m mark --mark 0x10000/0x10000 -j RETURN
    -A mm-out-3 -p tcp --dport 80:90 -j mm-out-3-1
    -A mm-out-3 -m mark --mark 0x10000/0x10000 -j RETURN
    -A mm-out-3 -d 10.246.0.1 -p tcp ! --syn -j RETURN
    -A mm-out-3 -d 10.246.0.1 -p icmp --icmp-type echo-reply -j RETURN
    -A mm-out-3 -d 10.0.0.0/8 -p tcp ! --syn -j RETURN
    -A mm-out-3 -d 10.0.0.0/8 -p icmp --icmp-type echo-reply -j RETURN
    -A mm-out-3 -j DROP
    -A mm-in-3-0 -s 10.1.0.0/16 -j RETURN
    -A mm-in-3-0 -s 10.246.0.1/32 -j RETURN
    -A mm-in-3-0 -s 10.246.0.2/32 -j RETURN
    -A mm-in-3-0 -s 10.246.0.3/32 -j RETURN
    -A mm-in-3-0 -s 10.246.1.2/32 -j RETURN
    -A mm-in-3-0 -j MARK --set-xmark 0x10000/0x10000
    -A mm-in-3 -j MARK --set-xmark 0x0/0x10000
    -A mm-in-3 -s 10.246.0.3/32 -p tcp --syn -j DROP
    -A mm-in-3 -s 10.246.0.3/32 ! -p tcp -j DROP
    -A mm-in-3 -s 10.0.0.0/8 -j mm-in-3-0
    -A mm-in-3 -m mark --mark 0x10000/0x10000 -j RETURN
    -A mm-in-3 -p udp --sport 53 -j RETURN
    -A mm-in-3 -p tcp --sport 80:90 ! --syn -j RETURN
    -A mm-in-3 -j DROP
    COMMIT
    "
  `)
  expect(nftablesRules(policies, WORLD)).toMatchInlineSnapshot(`
    "table ip meshmark_policy
    delete table ip meshmark_policy
    table ip meshmark_policy {
      set out_3_allow_flows {
        type ipv4_addr . inet_proto . inet_service
        flags interval
        elements = {
          0.0.0.0-10.246.0.0 . udp . 53,
          10.246.0.4-10.246.1.1 . udp . 53,
          10.246.1.3-255.255.255.255 . udp . 53,
          0.0.0.0-10.246.0.0 . tcp . 80-90,
          10.246.0.4-10.246.1.1 . tcp . 80-90,
          10.246.1.3-255.255.255.255 . tcp . 80-90,
        }
      }
      set in_3_deny_peers {
        type ipv4_addr
        elements = {
          10.246.0.3,
        }
      }
      set in_3_allow_peers {
        type ipv4_addr
        flags interval
        elements = {
          10.0.0.0-10.0.255.255,
          10.2.0.0-10.246.0.0,
          10.246.0.4-10.246.1.1,
          10.246.1.3-10.255.255.255,
        }
      }
      chain out_3 {
        ip daddr . meta l4proto . th dport @out_3_allow_flows return
        counter drop
      }
      chain in_3 {
        ip saddr @in_3_deny_peers counter drop
        ip saddr @in_3_allow_peers return
        counter drop
      }
      chain forward {
        type filter hook forward priority filter; policy accept;
        ct state established,related accept
        ip saddr vmap { 10.246.1.2 : jump out_3 }
        ip daddr vmap { 10.246.1.2 : jump in_3 }
      }
      chain input {
        type filter hook input priority filter; policy accept;
        ct state established,related accept
        ip saddr vmap { 10.246.1.2 : jump out_3 }
      }
    }
    "
  `)
})

test('the twin of a NetworkPolicy is the same', () => {
  expect(iptablesRules(example('networkpolicy'), WORLD, 'stateful')).toBe(
    iptablesRules(example('l3-l4'), WORLD, 'stateful'),
  )
})

test('HTTP rules have no twin', () => {
  expect(() => iptablesRules(example('l7'), WORLD, 'stateful')).toThrowErrorMatchingInlineSnapshot(
    `[LabError: l7.yaml:2:1: spec.ingress[0].toPorts[0].rules: a packet filter can't read HTTP, so CiliumNetworkPolicy default/http-echo-l7 has no twin in iptables or nftables. Leave rules out, or compare with the data path only.]`,
  )
  expect(() => nftablesRules(example('l7'), WORLD)).toThrow(/packet filter can't read HTTP/)
})

test('10,000 rules are 10,000 lines, or 10,000 elements of one set without intervals', { timeout: 60_000 }, () => {
  const policy = scalePolicy(10_000, { server: { app: 'http-echo' }, client: { app: 'client' }, port: 8080 })
  const lines = iptablesRules([policy], WORLD, 'stateless').split('\n')
  expect(lines.filter((line) => line.startsWith('-A mm-in-3 ') && line.endsWith('-j RETURN')).length).toBe(10_002)
  const nftables = nftablesRules([policy], WORLD)
  expect(nftables.split('\n').filter((line) => line.includes(' . tcp . ')).length).toBe(10_000)
  expect(nftables).not.toContain('interval')
})
