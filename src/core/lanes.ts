/**
 * The set hash: a state's fingerprint as two 32-bit lanes, kept by adding what appears and subtracting what
 * goes, so that comparing two states at every frame costs what the frame touched.
 *
 * Each element is a pair of numbers below 2^53. Both lanes are full finalisers from independent starts: with
 * weaker mixing, structured block numbers collide within one lane. It finds divergence; it is no evidence
 * against an attacker, who can build collisions. That is what the SHA-256 chain of the journal is for.
 */

const two32 = 2 ** 32

/** Final mixing of a 32-bit number (every input bit reaches every output bit). */
function finish(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** First lane of the element (a, b). */
export function laneLow(a: number, b: number): number {
  const high = Math.imul((a / two32) | 0, 0x9e3779b1) ^ Math.imul((b / two32) | 0, 0x7feb352d)
  return finish(Math.imul(finish((a >>> 0) ^ 0x2545f491), 0x27d4eb2f) + finish((b >>> 0) + 0x165667b1) + high)
}

/** Second lane of the element (a, b). */
export function laneHigh(a: number, b: number): number {
  const high = Math.imul((a / two32) | 0, 0x85ebca77) ^ Math.imul((b / two32) | 0, 0x61c88647)
  return finish(Math.imul(finish((b >>> 0) ^ 0x51ed270b), 0x9e3779b1) + finish((a >>> 0) + 0x68bc21eb) + high)
}

const lowOfOne = finish(1 + 0x165667b1)
const highOfOne = Math.imul(finish(1 ^ 0x51ed270b), 0x9e3779b1)

/** What the elements (k, 1) for k in [from, to) come to, one by one. Below 2^31 there are no upper halves to mix. */
export function countRun(from: number, to: number): { readonly low: number; readonly high: number } {
  let low = 0
  let high = 0
  for (let k = from; k < to; k++) {
    low = (low + finish(Math.imul(finish(k ^ 0x2545f491), 0x27d4eb2f) + lowOfOne)) | 0
    high = (high + finish(highOfOne + finish(k + 0x68bc21eb))) | 0
  }
  return { low, high }
}

/** A running set hash. `add` and `remove` are exact inverses; the order of elements does not matter. */
export class Lanes {
  low = 0
  high = 0

  add(a: number, b: number): void {
    this.low = (this.low + laneLow(a, b)) | 0
    this.high = (this.high + laneHigh(a, b)) | 0
  }

  remove(a: number, b: number): void {
    this.low = (this.low - laneLow(a, b)) | 0
    this.high = (this.high - laneHigh(a, b)) | 0
  }

  /** Adds all elements of another set hash. */
  join(low: number, high: number): void {
    this.low = (this.low + low) | 0
    this.high = (this.high + high) | 0
  }

  /** Adds another set hash as one element at `place`, so that equal parts at different places differ. */
  include(place: number, low: number, high: number): void {
    this.add(place * 2 + 1, low >>> 0)
    this.add(place * 2 + 2, high >>> 0)
  }

  /** Adds the characters of a text as elements. */
  text(place: number, text: string): void {
    this.add(place, text.length)
    for (let k = 0; k < text.length; k++) this.add(place + k + 1, text.charCodeAt(k))
  }

  clear(): void {
    this.low = 0
    this.high = 0
  }

  set(low: number, high: number): void {
    this.low = low | 0
    this.high = high | 0
  }
}

/** Sixteen hexadecimal digits of two lanes. */
export function lanesText(low: number, high: number): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
}
