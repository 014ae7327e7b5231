/** Blocks that tell which write they are of: a stamp, over and over. */

export const blockBytes = 4096
export const blocks = 256

/** So many blocks of this stamp; 0 is what was never written. */
export function stamped(stamp: number, count = 1): Uint8Array {
  const bytes = new Uint8Array(count * blockBytes)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length; at += 8) view.setUint32(at, stamp)
  return bytes
}

/** The stamp of a block; undefined when it is torn. */
export function stampOf(block: Uint8Array): number | undefined {
  const stamp = new DataView(block.buffer, block.byteOffset).getUint32(0)
  return Buffer.compare(block, stamped(stamp)) === 0 ? stamp : undefined
}
