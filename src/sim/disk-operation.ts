/** What somebody asks of a disk, as far as it changes what the disk holds or what of it is durable. */

/** What was written, in the order in which it was asked. Offsets are bytes. */
export type DiskOperation = (
  | { readonly op: 'write'; readonly offset: number; readonly data: Uint8Array; readonly fua?: boolean }
  | { readonly op: 'zeroes'; readonly offset: number; readonly length: number; readonly fua?: boolean }
  | { readonly op: 'flush' }
) & {
  /**
   * So many operations had been asked when this one was answered. Its own number and one unless told otherwise: who
   * asked waited for the answer. Infinity: it never came.
   */
  readonly answered?: number
}

/** How many operations had been asked when operation `index` was answered. */
export function answeredOf(history: readonly DiskOperation[], index: number): number {
  return history[index]!.answered ?? index + 1
}

/** The bytes that an operation writes to, `end` not among them. */
export function extentOf(operation: DiskOperation): { readonly offset: number; readonly end: number } {
  if (operation.op === 'flush') return { offset: 0, end: 0 }
  const length = operation.op === 'write' ? operation.data.length : operation.length
  return { offset: operation.offset, end: operation.offset + length }
}
