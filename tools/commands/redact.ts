/** `blockbox redact IN OUT`: a recording without its payloads, and without its names where asked. */

import type { Command } from 'commander'
import { BlockboxError } from '../../src/core/errors.ts'
import { formOfName, openRecording } from '../../src/recording/recording-file.ts'
import { writeRecording } from '../../src/recording/recording-writer.ts'
import { redact } from '../../src/recording/redact.ts'
import { interrupt } from '../interrupt.ts'
import { print } from '../output.ts'
import { writtenJson, writtenText } from '../recording-out.ts'
import { refuseSame } from '../same-file.ts'

interface RedactOptions {
  readonly names?: boolean
  readonly force?: boolean
  readonly json?: boolean
}

export function add(program: Command): void {
  program
    .command('redact')
    .description('take the payloads out of a recording, and names if asked')
    .argument('<in>', 'a recording: .trace, .trace.jsonl, packed with gzip or not')
    .argument('<out>', 'the file to write; its name tells the form')
    .option('--names', 'also replace the names of hosts, volumes, backups, clones and marks')
    .option('--force', 'replace a file that is there')
    .option('--json', 'print what was done as one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox redact night.trace night-shared.trace.jsonl.gz --names\n' +
        '\nDigests of payloads stay: they show order and let a holder of the bytes compare, and whoever guesses a\n' +
        'whole payload can tell that the guess is right. With --names the frames are made anew, with new state\n' +
        'hashes and a new chain, and the header says so; without it frames, chain and head stay as they were.\n',
    )
    .action(act)
}

async function act(from: string, path: string, options: RedactOptions): Promise<void> {
  const form = formOfName(path)
  if (form === undefined) {
    throw new BlockboxError(
      'USAGE',
      `${path} does not tell the form: let it end in .trace or .trace.jsonl (.gz)`,
    )
  }
  refuseSame([from], path)
  const recording = redact(await openRecording(from, interrupt), options.names === true)
  const end = await writeRecording(recording, { path, ...form, force: options.force === true })
  await proveBare(path)
  await print(
    options.json === true
      ? writtenJson(path, recording.header, end)
      : writtenText(path, recording.header, end),
  )
}

/** Reads what was written: not one payload may be there. */
async function proveBare(path: string): Promise<void> {
  const { items } = await openRecording(path, interrupt)
  for await (const item of items) {
    const left = item.is === 'frame' ? item.payloads.find(({ data }) => data !== undefined) : undefined
    if (left === undefined) continue
    await items.return()
    throw new BlockboxError(
      'TRACE_FORMAT',
      `${path} still holds the payload of event ${left.seq}: do not share it`,
    )
  }
}
