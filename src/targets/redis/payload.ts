import type { Effect } from '../../contracts/effect.ts'
import type { Json } from '../../contracts/values.ts'
import { UnreadablePayload } from '../outcome.ts'
import { keyOf, membersOf, optionalWholeIn, textIn, valueIn } from '../payload.ts'

/**
 * What an effect asks of Redis. Its key is the effect's own, or `key`: then whatever shares it must share the effect's
 * key too, since versions tell nothing about effects of another key. Values and messages are written as JSON.
 */
export type RedisPayload =
  /** Without `ttlMs` the value stays until it is replaced. */
  | { readonly op: 'set'; readonly key?: string; readonly value: Json; readonly ttlMs?: number }
  /** The row is gone. */
  | { readonly op: 'delete'; readonly key?: string }
  /** The row has changed: whoever reads it next fills the cache from the database. */
  | { readonly op: 'invalidate'; readonly key?: string }
  /** To those who are subscribed now: Redis keeps no message. https://redis.io/docs/latest/commands/publish/ */
  | { readonly op: 'publish'; readonly channel: string; readonly message: Json }

export type RedisChange =
  | { readonly op: 'set'; readonly key: string; readonly json: string; readonly ttlMs: number | undefined }
  | { readonly op: 'remove'; readonly key: string }
  | {
      readonly op: 'publish'
      readonly key: string | undefined
      readonly channel: string
      readonly json: string
    }

/** @throws UnreadablePayload */
export function parseRedisPayload(effect: Effect): RedisChange {
  const { op } = membersOf(effect.payload, ['op', 'key', 'value', 'ttlMs', 'channel', 'message'])
  switch (op) {
    case 'set': {
      const members = membersOf(effect.payload, ['op', 'key', 'value', 'ttlMs'])
      const json = JSON.stringify(valueIn(members, 'value'))
      return { op, key: redisKey(effect, members), json, ttlMs: optionalWholeIn(members, 'ttlMs') }
    }
    case 'delete':
    case 'invalidate':
      return { op: 'remove', key: redisKey(effect, membersOf(effect.payload, ['op', 'key'])) }
    case 'publish': {
      const members = membersOf(effect.payload, ['op', 'channel', 'message'])
      const json = JSON.stringify(valueIn(members, 'message'))
      return { op, key: effect.key, channel: textIn(members, 'channel'), json }
    }
    default:
      throw new UnreadablePayload("op must be 'set', 'delete', 'invalidate' or 'publish'")
  }
}

function redisKey(effect: Effect, members: Readonly<Record<string, Json>>): string {
  return members['key'] === undefined ? keyOf(effect) : textIn(members, 'key')
}
