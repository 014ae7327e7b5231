/**
 * Codes: why a request or a command was refused, dropped, lost or failed. DO NOT CHANGE THE NUMBERS: they are
 * stored. New codes take new numbers.
 */

export const codes = {
  ok: 0,
  E_RANGE: 1,
  E_ALIGN: 2,
  E_NO_VOLUME: 3,
  E_NO_SESSION: 4,
  E_NOT_ACTIVE: 5,
  E_ALREADY: 6,
  E_SIZE: 7,
  E_BUSY_HOLD: 8,
  E_BUSY_RESTORE: 9,
  E_BUSY_SYNC: 10,
  E_CLONE_PROTECTED: 11,
  E_STATE: 12,
  E_NO_PAIR: 13,
  E_QUEUE_FULL: 14,
  E_IO: 15,
  E_NAME: 16,
  E_UNSUPPORTED: 17,
  E_CRASH: 18,
  E_SESSION_CLOSED: 19,
  E_DEADLINE: 20,
  E_BOUND: 21,
  E_BROKEN: 22,
  E_READ_ONLY: 23,
  E_STOPPED: 24,
  E_FENCED: 25,
  E_BUSY_FENCE: 26,
  E_DIRTY: 27,
  E_SHARED_META: 28,
  E_PARTIAL: 29,
  E_CHAIN: 30,
  E_BUSY_OVERLAY: 31,
  E_BUSY_MERGE: 32,
  E_NOT_OWNER: 33,
  E_MIXED: 34,
  E_AGAIN: 35,
  E_NOSPC: 36,
  E_KEY_USED: 37,
  E_TAPPED: 38,
  E_TAP_ENDED: 39,
} as const

export type Code = keyof typeof codes

const names = Object.keys(codes) as Code[]

/** The name of a stored number; undefined for a number this version does not know. */
export function codeName(number: number): Code | undefined {
  return names[number]
}

/** What to do next, for people. */
export const advice: Readonly<Record<Code, string>> = {
  ok: '',
  E_RANGE: 'the range is empty or leaves the volume: check offset and length against the size of the volume',
  E_ALIGN: 'metadata behind a fence is brought in whole blocks of its volume: check offset and length',
  E_NO_VOLUME: 'there is no such volume or device: list them with `blockbox volume ls`',
  E_NO_SESSION: 'the session is not open: open one first',
  E_NOT_ACTIVE:
    'no backup, restore or fence of that name is active: see what is with `blockbox backup ls`, `clone ls`, `fence ls`',
  E_ALREADY: 'a thing of that name exists or runs already: choose another name',
  E_SIZE:
    'size, block or extent do not fit: take powers of two, sizes of whole blocks, for a pair two volumes alike in both',
  E_BUSY_HOLD: 'a backup holds the writes of this volume: stop it first',
  E_BUSY_RESTORE: 'a restore runs on this volume: wait for its end',
  E_BUSY_SYNC: 'the clone follows its source: fracture the pair first',
  E_CLONE_PROTECTED: 'the clone is the source of a protected restore: it can be written when that has ended',
  E_STATE:
    'the pair, fence or backup is not in the state this command needs: see it with `blockbox clone ls` or `fence ls`',
  E_NO_PAIR: 'there is no such pair: list them with `blockbox clone ls`',
  E_QUEUE_FULL: 'too many requests wait: slow down and try again',
  E_IO: 'the copy or the medium failed: see to the medium or the server, then try again',
  E_NAME:
    'choose another name: 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first',
  E_UNSUPPORTED: 'this version does not do that: `--help` of the command says what it does',
  E_CRASH: 'the recorder stopped while the request waited; it was never acknowledged: send it again',
  E_SESSION_CLOSED: 'the session closed while the request waited: open another and send it again',
  E_DEADLINE: 'the deadline of the backup passed: start it again with a longer one',
  E_BOUND:
    'a bound was reached, of the hold queue, of the number of volumes, or of the pieces of a merge: raise it or ask for less',
  E_BROKEN: 'the backup was aborted and its image is no point in time: start it again',
  E_READ_ONLY: 'the volume cannot be written: branch it, or use a view of it',
  E_STOPPED: 'the recorder is stopping: ask again when it runs',
  E_FENCED: 'a fence keeps hosts out of this range: wait until it is lowered',
  E_BUSY_FENCE: 'another fence covers part of this range: wait until it is lowered',
  E_DIRTY: 'the operation behind the fence changed data: finish it, or force the fence down',
  E_SHARED_META: 'the metadata also describes data that is not fenced: choose other ranges',
  E_PARTIAL: 'the fence covers only a part of the volume: raise a full one',
  E_CHAIN: 'this is not done to a view: use the volume it is a view of, or drop or merge the view',
  E_BUSY_OVERLAY: 'a view of this volume is kept: drop or merge it first',
  E_BUSY_MERGE: 'a merge into this volume runs: wait for its end',
  E_NOT_OWNER: 'this belongs to another session: take it over first',
  E_MIXED: 'extents not yet copied would show old content again: stop the hosts first, or force it',
  E_AGAIN: 'not now: writes still wait, or too many do; try again later',
  E_NOSPC: 'there is no room left for the blocks of this view: merge or drop it, or make one with more room',
  E_KEY_USED: 'the key belongs to another command, or to this one with other arguments: take a new key',
  E_TAPPED:
    'the content of this volume lies on another server, which only its hosts may change: end the tap first',
  E_TAP_ENDED:
    'the tap of this volume has ended, its far server is gone or the tap was stopped: start another tap',
}
