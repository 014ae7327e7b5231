/** The forms of what the API tells: contents of a state, queues, answers. They document it, and tests hold it to them. */

import * as v from 'valibot'

const text = v.string()
const flag = v.boolean()
const number = v.pipe(v.number(), v.integer())

/** The lists of a state, by the names they have in it. */
export const listed = {
  volumes: v.array(v.strictObject({ name: text, size: number, block: number, mapped_bytes: number })),
  devices: v.array(v.strictObject({ name: text, volumes: v.array(text) })),
  pairs: v.array(
    v.strictObject({
      ...{ name: text, source: text, clone: text, extent: number, phase: text },
      differing_extents: number,
    }),
  ),
  backups: v.array(v.strictObject({ name: text, phase: text, volumes: v.array(text), held_writes: number })),
  restores: v.array(
    v.strictObject({
      pair: text,
      protected: flag,
      remaining_extents: number,
      background: flag,
      paused: flag,
    }),
  ),
  views: v.array(
    v.strictObject({ name: text, base: text, phase: text, kept_bytes: number, sessions: number }),
  ),
  fences: v.array(
    v.strictObject({
      ...{ name: text, volume: text, owner: text, phase: text, full: flag, advisory: flag },
      ...{ meta_bytes: number, covered_bytes: number, dirty: flag },
      image: v.nullable(v.strictObject({ name: text, moved_bytes: number })),
    }),
  ),
}

const one = v.literal(1)

/** The answer of a list of the state. */
export function listAnswer(list: keyof typeof listed): v.GenericSchema {
  return v.strictObject({ version: one, [list]: listed[list] })
}

export const infoAnswer = v.strictObject({
  version: one,
  ...{ journal: text, format: text, format_version: number, id: text, created: text },
  ...{ events: number, first: number, last: number, epoch: number },
  head: v.strictObject({ seq: number, hash: text }),
  checkpoints: v.array(number),
  ...listed,
  ...{ sessions: number, waiting: number, backups_begun: number },
  remarks: v.array(text),
})

const instant = v.pipe(text, v.description('an instant'))

export const stateAnswer = v.strictObject({
  version: one,
  state: v.picklist(['recording', 'failed', 'reopening']),
  durable_seq: v.pipe(number, v.description('the last durable event')),
  failure: v.nullable(v.strictObject({ code: text, message: text, since: instant })),
  awaits_room: v.pipe(v.boolean(), v.description('it goes on by itself when the disk has room')),
  takeovers: v.pipe(number, v.description('how often it went on after a failure')),
  last_takeover: v.nullable(
    v.strictObject({
      seq: v.pipe(number, v.description('the event behind which it went on')),
      failed: instant,
      at: instant,
    }),
  ),
})

export const sessionsAnswer = v.strictObject({
  version: one,
  sessions: v.array(v.strictObject({ session: number, name: text })),
})

export const marksAnswer = v.strictObject({
  version: one,
  marks: v.array(v.strictObject({ seq: number, instant: text, volume: text, label: text })),
})

const copy = {
  copy: number,
  state: v.picklist(['copying', 'verifying', 'done', 'failed', 'cancelled']),
  ...{ volume: text, backup: text },
  seq: v.pipe(number, v.description('the moment: what is copied is the volume after this event')),
  ...{ size: number, target: text },
  resumed: v.pipe(flag, v.description('it goes on with one that was cut off')),
  copied_bytes: v.pipe(
    number,
    v.description('everything before it was written; of one that failed, is durable at the target'),
  ),
  mapped_bytes: v.nullable(number),
  unknown_bytes: v.pipe(number, v.description('of a tapped volume that nobody recorded')),
  verified: v.pipe(flag, v.description('the target was read back and is the same')),
  sha256: v.nullable(text),
  error: v.nullable(text),
}

export const copiesAnswer = v.strictObject({ version: one, copies: v.array(v.strictObject(copy)) })

export const copyAnswer = v.strictObject({ version: one, ...copy })

export const cloneVerifyAnswer = v.strictObject({
  version: one,
  ...{ extents: number, bytes: number },
  findings: v.array(v.strictObject({ seq: number, rule: text, detail: text })),
})

const queue = v.strictObject({
  requests: number,
  bytes: v.pipe(number, v.description('of the ranges that were asked for')),
  oldest: v.nullable(v.strictObject({ seq: number, instant: text, waited_ms: number })),
})

export const queuesAnswer = v.strictObject({
  version: one,
  held: v.pipe(queue, v.description('wait for a backup to end')),
  queued: v.pipe(queue, v.description("wait for an extent's copy")),
  volumes: v.array(v.strictObject({ name: text, held: number, queued: number })),
})

export const commandAnswer = v.looseObject({
  version: one,
  command: v.pipe(text, v.description('the kind of the input on record; none when there was nothing to do')),
  code: v.literal('ok'),
  seq: v.pipe(number, v.description('the event that records it')),
  made: v.pipe(number, v.description('number of what it made; 0: nothing')),
  repeats: v.optional(v.pipe(number, v.description('the event that had this key before and did it'))),
})

export const problemAnswer = v.strictObject({
  error: v.strictObject({
    code: text,
    message: text,
    advice: text,
    seq: v.optional(number),
    command: v.optional(text),
  }),
})
