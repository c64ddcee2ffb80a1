import { contains, parsePrefix } from './address.ts'
import type { Prefix } from './address.ts'
import { FieldError, itemsOf, textOf } from './field.ts'
import type { Field } from './field.ts'
import type { Peer } from './policy.ts'

/** Cilium's fromCIDR takes single addresses too; everything else wants a length. */
export function parseCidr(field: Field, form: 'prefix' | 'prefix or address'): Prefix {
  const text = textOf(field)
  const prefix = form === 'prefix' && !text.includes('/') ? undefined : parsePrefix(text)
  if (!prefix) throw new FieldError(field.path, `"${text}" is no block of addresses, as 10.0.0.0/8 or fd00::/64 are`)
  return prefix
}

export function cidrPeer(cidr: Field, except: Field | undefined): Peer {
  const prefix = parseCidr(cidr, 'prefix')
  return {
    kind: 'cidr',
    prefix,
    except: (except ? itemsOf(except) : []).map((item) => {
      const hole = parseCidr(item, 'prefix')
      if (!contains(prefix, hole)) throw new FieldError(item.path, `${hole.text} is not in ${prefix.text}`)
      return hole
    }),
  }
}
