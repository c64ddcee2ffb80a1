/** JSON as Envoy's protobuf JSON mapping takes it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
