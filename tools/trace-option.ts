/** The options of commands that read foreign traces: what the one who reads must say that the bytes do not. */

import { type Command, Option } from 'commander'
import type { BlockAction, TraceOptions } from '../src/trace/event.ts'
import { wholeNumber } from './number.ts'

/** What a command with the options receives among its own. */
export interface ReadingOptions {
  readonly producer?: 'dm' | 'qemu'
  readonly salvage?: boolean
  readonly port?: number
  readonly action?: BlockAction
  readonly timeUnitNs?: number
}

/** Adds the options to a command. */
export function readingOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--producer <name>',
        'who wrote a dm-log-writes log: its order is that of durability (dm) or of completion (qemu)',
      ).choices(['dm', 'qemu']),
    )
    .option('--salvage', 'dm-log-writes: read past the count of entries, forgive a torn end')
    .option(
      '--port <number>',
      'nbd-pcap: the TCP port of the server, 10809 when left out',
      wholeNumber(1, 65535),
    )
    .addOption(
      new Option(
        '--action <letter>',
        'blktrace, blkparse: the step that is an event: queued (Q), sent to the device (D), completed (C)',
      ).choices(['Q', 'D', 'C']),
    )
    .option(
      '--time-unit-ns <number>',
      'disksim: nanoseconds of a unit of its times, 1 when left out',
      wholeNumber(1, 1e12),
    )
}

/** The options as parsers take them. */
export function traceOptions(options: ReadingOptions): TraceOptions {
  const { producer, salvage, port, action, timeUnitNs } = options
  return {
    ...(producer !== undefined && { producer }),
    ...(salvage !== undefined && { salvage }),
    ...(port !== undefined && { port }),
    ...(action !== undefined && { action }),
    ...(timeUnitNs !== undefined && { timeUnitNs }),
  }
}
