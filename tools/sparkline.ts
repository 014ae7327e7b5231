/** Numbers as a line of eight heights; a number above none is never shown as none. */

const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/** One sign a number; a dot for none at all. */
export function sparkline(numbers: readonly number[]): string {
  const most = Math.max(0, ...numbers)
  return numbers
    .map((number) => (number <= 0 ? '·' : heights[Math.min(7, Math.floor((number / most) * 8 - 1e-9))]!))
    .join('')
}
