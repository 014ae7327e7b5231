/** Durations as people read them: three digits that count, and a unit. */

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400e9],
  ['h', 3_600e9],
  ['min', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
  ['us', 1e3],
]

/** `1.23 ms`, `45.6 s`, `380 ns`; a dash where there is none. */
export function formatDuration(ns: number | bigint | undefined): string {
  if (ns === undefined) return '-'
  const number = Number(ns)
  const size = Math.abs(number)
  const [unit, divisor] = units.find(([, least]) => size >= least) ?? ['ns', 1]
  const value = number / divisor
  const digits = Math.abs(value) >= 100 || unit === 'ns' ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return `${value.toFixed(digits)} ${unit}`
}
