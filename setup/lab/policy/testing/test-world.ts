import type { World } from '../world.ts'

/** Pods of both address families, two of one identity, two namespaces, names for ports. */
export const TEST_WORLD: World = {
  hostAddresses: ['10.245.0.1', 'fd00:10:245::1'],
  endpoints: [
    {
      id: 1,
      name: 'client',
      identity: 256,
      labels: { app: 'client', tier: 'front' },
      addresses: ['10.245.0.2', 'fd00:10:245::2'],
      ports: [],
    },
    {
      id: 2,
      name: 'stranger',
      identity: 257,
      labels: { app: 'stranger' },
      addresses: ['10.245.0.3', 'fd00:10:245::3'],
      ports: [],
    },
    {
      id: 3,
      name: 'http-echo-a',
      identity: 258,
      labels: { app: 'http-echo', tier: 'back' },
      addresses: ['10.245.1.2', 'fd00:10:245::102'],
      ports: [
        { name: 'http', port: 8080 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    },
    {
      id: 4,
      name: 'http-echo-b',
      identity: 258,
      labels: { app: 'http-echo', tier: 'back' },
      addresses: ['10.245.1.3', 'fd00:10:245::103'],
      ports: [
        { name: 'http', port: 8080 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ],
    },
    {
      id: 5,
      name: 'other',
      identity: 259,
      labels: { app: 'other', tier: 'back' },
      namespace: 'shop',
      addresses: ['10.245.1.4', 'fd00:10:245::104'],
      ports: [{ name: 'http', port: 9090 }],
    },
  ],
}

/** Addresses of the world, some of them close to each other. */
export const OUTSIDE = ['203.0.113.2', '203.0.113.3', '203.0.113.130', '198.51.100.7', '2001:db8::2', '2001:db8::1:2']
export const TEST_PORTS = [53, 80, 443, 8080, 9090, 65535]
