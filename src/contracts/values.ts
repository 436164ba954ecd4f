/**
 * What a store can hold, after encoding. Booleans, dates and objects have become one of these when the
 * operation was accepted, so a later change by the caller changes nothing.
 */
export type Value = null | number | bigint | string | Uint8Array

/** Any JSON value: what checkpoints hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
