/**
 * Bounds of everything whose length the other side chooses. Each is checked before memory is taken for it.
 */

/** The longest name of an export or of a context, in bytes of UTF-8; the specification's own bound on strings. */
export const maxStringBytes = 4096
/** The most data an option may bring: two of the longest names and a list fit. */
export const maxOptionBytes = 16 * 1024
/** The most options a client may send on one connection. */
export const maxOptions = 4096
/** The most queries of one context option. */
export const maxQueries = 64
/** The longest read or write, in bytes; the block size that the specification lets every client count on. */
export const maxRequestBytes = 32 * 2 ** 20
/** The most data one reply to an option may bring to a client. */
export const maxOptionReplyBytes = 64 * 1024
/** The most extents of one reply to a block status request. */
export const maxExtents = 4096
/** The most exports that a client takes from a list. */
export const maxListed = 65_536
