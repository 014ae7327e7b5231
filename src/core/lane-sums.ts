/**
 * Set hashes of runs: what `Lanes` comes to when the elements (from, 1) to (to - 1, 1) are added one after the other.
 *
 * The mixing has no closed form, so a run is counted element by element; but a map of 2^23 extents that begins full
 * would then cost a tenth of a second. The sums of the first k steps of 2^20 elements are therefore kept here, up to
 * 2^27 elements: a run costs what lies between its ends and the nearest steps, at most 2^20 elements, which takes
 * milliseconds. What lies beyond the last step is counted. The test counts every step anew.
 */

import { assert } from './assert.ts'
import { countRun } from './lanes.ts'

const step = 2 ** 20

/** For k from 1: both lanes of the first k steps, low first, 32 bits each, little-endian. */
const kept = decode(
  'eEswAGtvgcg+SZRUqXzq69RZshdFj8Y/D9SWyMdLJWcj5yeitGxtcR/3BAh1vISiM5XTHwgb+uRuTV2lz3/2A3D40Mzqwx//' +
    'jFdaTX1pQbLJXssm/JG3DABW754ZAW34DjXpjU2Ht+Zarn81rUb+RZR6zeaCs8yZ34MhUxNcpchw4jSMfLjph1L3ohqJD34+' +
    'nZ+TVCfjO0A4V16sE9sp6/aQkMoeO13x9faiaHO/N4XTe7VoYFgIk6jxzZXkrGT/VjNvlBUkhrQEBh6GgLQF/A6rWOSBG2G/' +
    '23nmEBD/0m9dhW2HRjdqDEC7R0OiUaq8bhXlRQoDCYvl9SV5cAgaRyshJXIhl6rjcChbHyDAY5soajnc36HZI0RstLENSdl4' +
    'Zq0ZIiSof4gtkkm7B/R0OitF5aS+36xM5Pdcuxkh+HrzTSr9ZUSa9FOe7r2WG0aPTqHqrANzve+2ry8hvT1j+Q1ooIHuU9xe' +
    'HIcRVH64Oxo9Td1/WPE+mxQvQqCdB2vDuwPIOV86RHOY9Va3qgXIUTiKz+fTVpl2xnwLQT4TQIEGntI1HbV93sNyS2nkGWi4' +
    'eo8qhNmFc7djvJFq+uwogtN9QsGMq5bQlmMyYUWgcatU8E4HlYHxQiRoiRQdpoKy92aGuQOpsR5DkkFcqSz/wF2plvJXw0T6' +
    'zVQRGLBlHG0BhEVASI+WMDuhbLzoherJvLdml+HIxoI23M+DjBSEOCUItDaSWtdEsBX2lU26wsLqPbHnY2ivr5WbFV/HXpEN' +
    '41oiB9qs1entvFkCQNOHy3CKkqUx9mmRsZau3XfQDiONB3jnEXGGGbgZNQus3mqxR5e+w/odDmtqG3pf9JitaSDysU3TgEUR' +
    '9vUGp1PWs+oiuw0wSoR/QnYAqqiKj2vIjUwSdRr4cahJduei2YB12+yn4JgIMNqUGOc6TvoG0KE53MqMAHIqtKoDwzL0cDk4' +
    '/GnmtMehk2nJFifFMGfvoGCQfgc+1wuCTel+rlCsvIg9sUutg1Rlq5rzxTZY8v7HUnPL3QiAM/zkrPM4fxdOUew/wXYPgFnZ' +
    'fvDQtpN8Lm7U8SlVtczKV8sWUKZ2DYc37+yRBirg77llILwKn6gEf+tnnkB6jJhz9lK6YwY2B4l4FAaINbLksyWx/0WY54JA' +
    'x10tNHQzp8zuGdFEjdm2w+9eIp7P34chEfjX3+f4rRyyoGNagjX4U2/u9ohNFfq7+waa/26mfTK94hwLRwJgOeZHDflRveBj' +
    'vq1JgXjnDaPw6rDQjaXVuWYzkdOMGZ5TDhIbMGg64OemIWt5fJhePEmtJf3NQU6tAXnq3pgwKwx0R3HrpiLOgm2oim/mGzHA' +
    'XRgJz3UodMNU5602mpivZQ==',
)

export interface LaneSum {
  /** What to add to each lane; 32 bits, signed. */
  readonly low: number
  readonly high: number
  /** How many elements were counted one by one. */
  readonly counted: number
}

/** The sum of the elements (k, 1) for k in [from, to); both below 2^31. */
export function laneSum(from: number, to: number): LaneSum {
  assert(0 <= from && from <= to && to < 2 ** 31, 'a run lies below 2^31')
  const [down, up] = [nearest(from), nearest(to)]
  const far = Math.abs(from - down) + Math.abs(to - up)
  if (to - from <= far) return counted(from, to)
  const before = counted(Math.min(down, from), Math.max(down, from))
  const behind = counted(Math.min(up, to), Math.max(up, to))
  const [less, more] = [down < from ? -1 : 1, up < to ? 1 : -1]
  const sum = (lane: 0 | 1) => kept[(up / step) * 2 + lane]! - kept[(down / step) * 2 + lane]!
  return {
    low: (sum(0) + less * before.low + more * behind.low) | 0,
    high: (sum(1) + less * before.high + more * behind.high) | 0,
    counted: far,
  }
}

/** The step that lies nearest to an element. */
function nearest(element: number): number {
  return Math.min(Math.round(element / step), kept.length / 2 - 1) * step
}

function counted(from: number, to: number): LaneSum {
  return { ...countRun(from, to), counted: to - from }
}

function decode(text: string): Int32Array {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  const sums = new Int32Array(2 + bytes.length / 4)
  for (let k = 2; k < sums.length; k++) sums[k] = view.getInt32((k - 2) * 4, true)
  return sums
}
