/** The contents of a state as tables for people. Names in a journal are checked; paths and owners are escaped. */

import type { Contents } from '../src/inspect/contents.ts'
import { escaped, table } from './output.ts'
import { formatSize } from './size.ts'

/** What of a journal's contents can be listed. */
export type Listed = 'volumes' | 'devices' | 'pairs' | 'backups' | 'restores' | 'views' | 'fences'

interface Columns<Row> {
  readonly heads: readonly string[]
  readonly cells: (row: Row) => readonly string[]
  /** Columns that are flush right. */
  readonly right: readonly number[]
}

const yes = (is: boolean) => (is ? 'yes' : 'no')

const columns: { readonly [L in Listed]: Columns<Contents[L][number]> } = {
  volumes: {
    heads: ['volume', 'size', 'block', 'mapped'],
    cells: ({ name, size, block, mapped_bytes }) => [
      name,
      ...[size, block, mapped_bytes].map((bytes) => formatSize(bytes)),
    ],
    right: [1, 2, 3],
  },
  devices: {
    heads: ['device', 'volumes'],
    cells: ({ name, volumes }) => [name, volumes.join(',')],
    right: [],
  },
  pairs: {
    heads: ['pair', 'source', 'clone', 'extent', 'phase', 'differing extents'],
    cells: (one) => [
      ...[one.name, one.source, one.clone, formatSize(one.extent), one.phase],
      String(one.differing_extents),
    ],
    right: [3, 5],
  },
  backups: {
    heads: ['running backup', 'phase', 'volumes', 'writes held'],
    cells: ({ name, phase, volumes, held_writes }) => [name, phase, volumes.join(','), String(held_writes)],
    right: [3],
  },
  restores: {
    heads: ['restore of pair', 'protected', 'extents to copy', 'background'],
    cells: (one) => [
      ...[one.pair, yes(one.protected), String(one.remaining_extents)],
      one.paused ? 'paused' : one.background ? 'copying' : 'gave up',
    ],
    right: [2],
  },
  views: {
    heads: ['view', 'base', 'phase', 'kept', 'sessions'],
    cells: (one) => [one.name, one.base, one.phase, formatSize(one.kept_bytes), String(one.sessions)],
    right: [3, 4],
  },
  fences: {
    heads: ['fence', 'volume', 'owner', 'phase', 'scope', 'metadata', 'covered', 'changed'],
    cells: (one) => [
      ...[one.name, one.volume, one.owner, one.phase],
      `${one.full ? 'full' : 'partial'}${one.advisory ? ', advisory' : ''}`,
      ...[formatSize(one.meta_bytes), formatSize(one.covered_bytes), yes(one.dirty)],
    ],
    right: [5, 6],
  },
}

/** One list as a table, its heads first, whether there is any of it or not. */
export function listTable<L extends Listed>(listed: L, rows: Contents[L]): string {
  const { heads, cells, right }: Columns<Contents[L][number]> = columns[listed]
  const lines = (rows as readonly Contents[L][number][]).map((row) => cells(row).map(escaped))
  return table([heads, ...lines], right)
}

/** Tables of what there is any of, in the order the systems stand in. */
export function contentsTables(contents: Contents): string[] {
  const lists = Object.keys(columns) as Listed[]
  return lists.filter((one) => contents[one].length > 0).map((one) => listTable(one, contents[one]))
}
