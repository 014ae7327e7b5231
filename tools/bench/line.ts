/** One line of the benchmark's table: a contender of a group, its median, and how it stands against the anchor. */

export interface Line {
  /** What is measured: the contenders of a group did the same work in the same rounds. */
  readonly group: string
  readonly name: string
  /** Median, in `unit`; undefined when it could not be run. */
  readonly value: number | undefined
  readonly unit: string
  /** How many times as fast as the group's anchor. */
  readonly ratio?: number
  /** The bound it was meant to keep: a ratio at least this large, or a value below. */
  readonly target?: Target
  readonly remark?: string
}

export type Target =
  | { readonly ratioAtLeast: number; readonly against?: string }
  | { readonly valueBelow: number }

/** True or false for a line that has a target and was measured. */
export function isMet({ value, ratio, target }: Line): boolean | undefined {
  if (target === undefined || value === undefined) return undefined
  if ('valueBelow' in target) return value < target.valueBelow
  return ratio === undefined ? undefined : ratio >= target.ratioAtLeast
}

/** All lines as a table of which every line can be cut at its bars. */
export function tableOf(lines: readonly Line[]): string {
  const head = ['measured', 'contender', 'median', 'ratio', 'target', 'met']
  const rows = [head, ...lines.map(cellsOf)]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const right = new Set([2, 3])
  const pad = (cell: string, column: number) =>
    right.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
  const rule = widths.map((width, column) =>
    right.has(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  const [first, ...rest] = rows.map((row) => row.map(pad))
  return [first!, rule, ...rest].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function cellsOf(line: Line): string[] {
  const { group, name, value, unit, ratio, target, remark } = line
  const met = isMet(line)
  return [
    group,
    name,
    value === undefined ? (remark ?? '-') : `${digits(value)} ${unit}`,
    ratio === undefined ? '' : digits(ratio),
    target === undefined ? '' : targetText(target, unit),
    met === undefined ? '' : met ? 'yes' : 'no',
  ]
}

function targetText(target: Target, unit: string): string {
  if ('valueBelow' in target) return `below ${target.valueBelow} ${unit}`
  return `${target.ratioAtLeast} or more${target.against === undefined ? '' : ` of ${target.against}`}`
}

/** Three digits that count. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
