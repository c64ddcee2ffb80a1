import { EndpointFiles } from '../policy/endpoint-files.ts'
import { ebpfPaths } from './paths.ts'

/** The pods of the eBPF network; the data path knows them by the same numbers. */
export const ebpfEndpoints = new EndpointFiles((run) => ebpfPaths(run).endpoints)
