/**
 * The payload store port: bytes that hosts wrote, stored once, never changed.
 *
 * A *place* names a payload and, by addition, each 512 bytes of it; 0 is no place. Reading is synchronous: a read of
 * a host is resolved at one instant, against one state. Adapters differ in where the bytes become durable: the
 * LevelDB adapter hands them to the journal's own batch, a segment store writes them itself in `sync`.
 */

export interface PayloadStore {
  /** Takes `bytes` (a multiple of 512) and returns their place; readable at once, durable with the next commit. */
  put(bytes: Uint8Array): number
  /**
   * The `length` bytes at a place, valid until the next call. Throws PAYLOAD_CORRUPT when they are missing or altered.
   */
  read(place: number, length: number): Uint8Array
  /**
   * What lies at a place, whatever the checks say; undefined when nothing does. For telling which payload of a
   * damaged chunk is the damaged one, by its digest.
   */
  asStored?(place: number, length: number): Uint8Array | undefined
  /**
   * True for a place whose payload this store was never to hold: of a recording that kept its digest alone. Without a
   * place: true when there may be such.
   */
  lacks?(place?: number): boolean
  /**
   * Resolves when all that was put before the call may be referred to by the frame that is appended next; what is put
   * after the call goes with a later one.
   */
  sync(): Promise<void>
}

/** Places a payload of `length` bytes takes up. */
export const placeUnit = 512

/** Places that a read may cover without being put together from parts, counted from a multiple of them. */
export const pieceUnits = 128

/** Bytes as they are put: filled up with zeros to whole units of a place. */
export function wholeUnits(bytes: Uint8Array): Uint8Array {
  if (bytes.length % placeUnit === 0) return bytes
  const filled = new Uint8Array(Math.ceil(bytes.length / placeUnit) * placeUnit)
  filled.set(bytes)
  return filled
}
