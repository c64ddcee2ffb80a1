import { expect, test } from 'vitest'
import { findEnvoy, parseEnvoyVersion } from './envoy.mjs'

test('reads the version that Envoy prints', () => {
  const printed = '/usr/bin/envoy  version: 1a2b3c4d/1.40.0/Clean/RELEASE/BoringSSL'
  expect(parseEnvoyVersion(printed)).toBe('1.40.0')
  expect(parseEnvoyVersion('not envoy')).toBeUndefined()
})

test('a chosen Envoy that does not run is said to be broken, not replaced', async () => {
  expect(await findEnvoy({ MESHMARK_ENVOY: '/bin/false' }, [])).toEqual({
    state: 'broken',
    reason: 'MESHMARK_ENVOY (/bin/false) does not answer `envoy --version`',
  })
})
