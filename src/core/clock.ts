/**
 * Time comes in as an argument: nobody but tools and tests make a clock.
 *
 * Instants are nanoseconds since the Unix epoch, as a bigint where they are stored and as microseconds in a
 * number (exact until the year 2255) where the state keeps one.
 */

export interface Clock {
  /** Now, in nanoseconds since the Unix epoch. May jump either way; order comes from sequence numbers. */
  nowNs(): bigint
  /** Calls back after `ms` milliseconds; the function returned takes it back. */
  after(ms: number, call: () => void): () => void
}
