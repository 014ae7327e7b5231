/** Makes one segment: takes the touches of its events as they are told, and who comes, until it is full. */

import type { Entry } from '../inspect/roster.ts'
import { Group, levelOf, maxCount } from './group.ts'
import { PointMaker } from './points.ts'
import { encodeSegment, type Segment } from './segment.ts'

export class SegmentMaker {
  readonly first: number
  readonly previous: Uint8Array
  readonly roster: Entry[] = []
  readonly points: PointMaker
  readonly #frames: number[] = []
  /** How many touches it has. */
  entries = 0
  readonly #groups = new Map<number, Group>()

  /** @param previous the hash of the frame in front of event `first`; @param points those that are known already */
  constructor(first: number, previous: Uint8Array, points = new PointMaker([], first - 1)) {
    this.first = first
    this.previous = previous
    this.points = points
  }

  /** A maker that goes on where a segment ended, with all that is in it. */
  static from(segment: Segment): SegmentMaker {
    const { first, previous } = segment.span
    const maker = new SegmentMaker(first, previous, new PointMaker(segment.points, segment.span.last))
    maker.roster.push(...segment.roster)
    for (const frame of segment.frames()) maker.#frames.push(frame)
    segment.each((volume, seq, what, from, count) => maker.tell(seq, volume, from, count, what))
    return maker
  }

  /** A frame begins with event `first`. */
  frame(first: number): void {
    this.#frames.push(first - this.first)
  }

  /** Takes a touch (src/inspect/touch.ts). Events in front of the first one are what was there before it. */
  readonly tell = (seq: number, volume: number, first: number, count: number, what: number): void => {
    const event = Math.max(0, seq - this.first + 1)
    for (let done = 0; done < count; done += maxCount) {
      const some = Math.min(maxCount, count - done)
      const level = levelOf(some)
      const key = volume * 32 + level
      let group = this.#groups.get(key)
      if (group === undefined) {
        group = new Group(volume, level)
        this.#groups.set(key, group)
      }
      group.add(first + done, what, event, some)
      this.entries++
    }
  }

  /** The bytes of the segment, which ends with event `last` and the frame of that hash. */
  encode(last: number, head: Uint8Array): Uint8Array {
    const groups = [...this.#groups.values()].sort((a, b) => a.volume - b.volume || a.level - b.level)
    const { first, previous, roster } = this
    this.points.frame(last, true)
    const names = { roster, points: this.points.entries }
    return encodeSegment({ first, last, previous, head }, groups, this.#frames, names)
  }
}
