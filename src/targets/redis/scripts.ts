/**
 * What runs inside of Redis, each script as one step that nobody sees half of.
 *
 * Beside each key stands its fence, a hash: under `version:KIND` the newest version that was applied, under
 * `generation` which change that was. It lives as long as deliveries may come late, and is then forgotten.
 */
import { createHash } from 'node:crypto'

export interface Script {
  readonly lua: string
  readonly sha: string
}

function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

/**
 * KEYS: the value, its fence. ARGV: kind, version, how long the fence lives, what to do, and with what.
 * Versions are whole and below 2^53, which Lua's numbers hold exactly.
 */
export const applyScript: Script = script(`
local version = 'version:' .. ARGV[1]
local seen = redis.call('HGET', KEYS[2], version)
if seen and tonumber(seen) >= tonumber(ARGV[2]) then return 0 end
if ARGV[4] == 'publish' then
  redis.call('PUBLISH', ARGV[5], ARGV[6])
else
  if ARGV[4] == 'remove' then redis.call('DEL', KEYS[1])
  elseif ARGV[6] == '' then redis.call('SET', KEYS[1], ARGV[5])
  else redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[6]) end
  redis.call('HSET', KEYS[2], 'generation', ARGV[1] .. ':' .. ARGV[2])
end
redis.call('HSET', KEYS[2], version, ARGV[2])
local left = redis.call('PTTL', KEYS[2])
if left < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1
`)

/** KEYS: the value, its fence. ARGV: the generation that was seen, the value, how long it lives. */
export const fillScript: Script = script(`
local generation = redis.call('HGET', KEYS[2], 'generation') or ''
if generation ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`)
