/**
 * The foreign formats by name: how to make a parser of each, and how to know it by its first bytes.
 */

import { BlockboxError } from '../core/errors.ts'
import { alibaba, alibabaBegins, alibabaRow } from './alibaba.ts'
import { blkparse, blkparseBegins } from './blkparse.ts'
import { blktrace, blktraceBegins } from './blktrace.ts'
import { cloudphysicsCsv, cloudphysicsCsvBegins } from './cloudphysics-csv.ts'
import { disksim, disksimRow } from './disksim.ts'
import { dmLogMagic } from './dm-log-header.ts'
import { dmLogWrites } from './dm-log-writes.ts'
import type { TraceOptions, TraceParser } from './event.ts'
import { fioHeader, fioIolog } from './fio-iolog.ts'
import { history, historyBegins } from './history.ts'
import { msr, msrBegins } from './msr.ts'
import { nbdPcap } from './nbd-pcap.ts'
import { nbdkitLog, nbdkitLogBegins } from './nbdkit-log.ts'
import { pcapBegins } from './pcap-file.ts'
import { spc, spcRow } from './spc.ts'
import { systor, systorBegins } from './systor.ts'
import { tencent, tencentBegins, tencentRow } from './tencent.ts'
import { vscsi, vscsiBegins } from './vscsi.ts'

export interface RemarkingParser extends TraceParser {
  /** What the user ought to know of where the trace ended, asked after the end. */
  remark?(): string | undefined
}

export interface TraceFormat {
  readonly name: string
  /** What it is, in a line for a user. */
  readonly title: string
  parser(options: TraceOptions): RemarkingParser
  /** Whether a file that begins with these bytes is one; absent where the content cannot tell. */
  readonly begins?: (first: Uint8Array) => boolean
  /** What every row looks like, of a table that mostly has no header. */
  readonly row?: RegExp
  /** Whether the `dev` of its events names a connection: what they ask for is of one device all the same. */
  readonly connections?: boolean
  /** Whether a trace may lie in several files. */
  readonly severalFiles?: boolean
}

/** Every format, in the order of the documentation. */
export const traceFormats: readonly TraceFormat[] = [
  {
    name: 'dm-log-writes',
    title: 'log of Linux dm-log-writes or QEMU blklogwrites, with data',
    parser: dmLogWrites,
    begins: (first) => startsWith(first, dmLogMagic),
  },
  {
    name: 'nbd-pcap',
    title: 'packet capture (pcap) of NBD connections, with data',
    parser: nbdPcap,
    begins: pcapBegins,
    connections: true,
  },
  {
    name: 'nbdkit-log',
    title: "log of nbdkit's filter log",
    parser: nbdkitLog,
    begins: nbdkitLogBegins,
    connections: true,
  },
  {
    name: 'fio-iolog',
    title: 'fio I/O log, version 2 or 3',
    parser: fioIolog,
    begins: (first) => startsWith(first, new TextEncoder().encode(fioHeader)),
  },
  {
    name: 'blktrace',
    title: 'binary trace of blktrace, of one CPU or several',
    parser: blktrace,
    begins: blktraceBegins,
    severalFiles: true,
  },
  {
    name: 'blkparse',
    title: 'default text of blkparse',
    parser: blkparse,
    begins: blkparseBegins,
  },
  {
    name: 'vscsi',
    title: 'binary trace of vscsiStats, version 1 or 2',
    parser: vscsi,
    begins: vscsiBegins,
  },
  {
    name: 'cloudphysics-csv',
    title: 'table of a CloudPhysics trace (version,time,op,size,lbn)',
    parser: cloudphysicsCsv,
    begins: cloudphysicsCsvBegins,
  },
  { name: 'disksim', title: 'ASCII trace of DiskSim, SSDsim or MQSim', parser: disksim, row: disksimRow },
  { name: 'msr', title: 'table of MSR Cambridge', parser: msr, begins: msrBegins },
  { name: 'systor', title: "table of SYSTOR '17", parser: systor, begins: systorBegins },
  {
    name: 'alibaba',
    title: 'table of Alibaba Cloud, 2020',
    parser: alibaba,
    begins: alibabaBegins,
    row: alibabaRow,
  },
  {
    name: 'tencent',
    title: 'table of Tencent Cloud Block Storage',
    parser: tencent,
    begins: tencentBegins,
    row: tencentRow,
  },
  { name: 'spc', title: 'table of the Storage Performance Council (UMass)', parser: spc, row: spcRow },
  {
    name: 'history',
    title: 'history of an NBD client, JSON lines',
    parser: history,
    begins: historyBegins,
  },
]

/** As many first bytes as `sniff` needs. */
export const sniffBytes = 256

/** Formats that are known beside those of other programs. */
export type FurtherFormats = readonly TraceFormat[]

/** The name of the format that content beginning with `first` has; undefined when it does not tell. */
export function sniff(first: Uint8Array, further: FurtherFormats = []): string | undefined {
  const known = [...traceFormats, ...further].find((format) => format.begins?.(first))
  if (known !== undefined) return known.name
  const tables = tablesOf(first)
  const lines = linesOf(first)
  const alike = tables.filter(({ row }) => lines.every((line) => row!.test(line)))
  return tables.length === 1 && alike.length === 1 ? alike[0]!.name : undefined
}

/** The names of the tables without a header that content could be, where `sniff` does not tell. */
export function couldBe(first: Uint8Array): readonly string[] {
  return tablesOf(first).map(({ name }) => name)
}

/** The tables without a header whose parser takes the first lines. */
function tablesOf(first: Uint8Array): TraceFormat[] {
  const bytes = new TextEncoder().encode(linesOf(first).join('\n').concat('\n'))
  return traceFormats.filter(({ row, parser }) => {
    try {
      return row !== undefined && [...parser({}).push(bytes)].length > 0
    } catch (error) {
      if (error instanceof BlockboxError && error.code === 'TRACE_FORMAT') return false
      throw error
    }
  })
}

/** The lines that lie wholly in the first bytes, without those that are blank. */
function linesOf(first: Uint8Array): string[] {
  const lines = new TextDecoder().decode(first.subarray(0, sniffBytes)).split(/\r?\n/)
  if (first.length >= sniffBytes) lines.pop()
  return lines.filter((line) => line.trim() !== '')
}

/** The format of that name. Throws USAGE, with the list, when there is none. */
export function traceFormat(name: string, further: FurtherFormats = []): TraceFormat {
  const found = [...traceFormats, ...further].find((format) => format.name === name)
  if (found !== undefined) return found
  throw new BlockboxError('USAGE', `there is no trace format "${name}"; choose ${formatNames(further)}`)
}

/** The names, for a message. */
export function formatNames(further: FurtherFormats = []): string {
  return [...traceFormats, ...further].map((format) => format.name).join(', ')
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && head.every((byte, k) => byte === bytes[k])
}
