/** Forms of input that routes share. Names in JSON are snake_case; sizes and offsets are bytes. */

import * as v from 'valibot'
import { isKey } from '../events/detail.ts'

/** What a thing is called. Whether a new name is one is for the engine to say, on record. */
export const name = v.pipe(v.string(), v.minLength(1), v.maxLength(255), v.description('a name'))

/** A longer text: a path, a label. */
export const text = v.pipe(v.string(), v.minLength(1), v.maxLength(4096))

export const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER))

export const bytes = v.pipe(count, v.description('bytes'))

/** Numbers of sessions. */
export const session = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(2 ** 32 - 1),
  v.description('the number of a session'),
)

export const flag = v.optional(v.boolean(), false)

/** A choice that is off unless it is made. */
export const described = (words: string) => v.optional(v.pipe(v.boolean(), v.description(words)), false)

export const wait = v.optional(
  v.pipe(v.boolean(), v.description('answer only when what this begins has come to an end')),
  false,
)

export const names = v.optional(v.pipe(v.array(name), v.maxLength(4096)), [])

/** In whose name something is asked: see owners.ts. */
export const owner = v.pipe(name, v.description('the owner of fences in whose name this is asked'))

export const defaultOwner = 'operator'

export const ownerOrDefault = v.optional(owner, defaultOwner)

export const point = v.pipe(
  text,
  v.description(
    'the number of an event, or seq:N, time:2026-01-31T12:00:00Z, mark:LABEL, backup:NAME or source:K',
  ),
)

/** The header Idempotency-Key. */
export const key = v.pipe(
  v.string(),
  v.check(isKey, 'a key is 1 to 128 visible ASCII characters without spaces'),
  v.maxLength(128),
)
