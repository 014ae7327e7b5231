/** `blockbox head`: the journal's head, printed, or added to a file that is kept elsewhere, signed where a key is given. */

import { appendFileSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { JournalInfo } from '../../src/control/journal-info.ts'
import { info } from '../../src/control/state-routes.ts'
import { hex } from '../../src/core/digest.ts'
import { journalIdentity } from '../../src/journal/identity.ts'
import { headKey, headLine, type KeptHead, signHead } from '../../src/journal/kept-head.ts'
import { withReading } from '../journal-link.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { print } from '../output.ts'

interface HeadOptions extends JournalOption {
  readonly append?: string
  readonly sign?: string
  readonly json?: boolean
}

export function add(program: Command): void {
  journalOption(program.command('head'))
    .description('print the head of a journal: what shows later that nothing was taken away or rewritten')
    .option('--append <file>', 'add it as a line to this file, to be kept elsewhere')
    .option('--sign <key.pem>', 'sign it with this Ed25519 private key')
    .option('--json', 'as one JSON object, the line that --append writes')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox head -j nightly.journal --append /mnt/elsewhere/nightly.heads --sign key.pem\n' +
        '  blockbox verify -j nightly.journal --heads /mnt/elsewhere/nightly.heads --key public.pem\n' +
        '\nA key: openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out public.pem\n',
    )
    .action(act)
}

async function act(options: HeadOptions): Promise<void> {
  const key = options.sign === undefined ? undefined : headKey(readFileSync(options.sign, 'utf8'), 'private')
  const { seq, hash } = await withReading(
    options,
    async ({ journal }) => {
      const { last, head } = journal.bounds()
      return { seq: last, hash: hex(head) }
    },
    async (remote) => ((await remote.read(info, {})) as unknown as JournalInfo).head,
  )
  const { id } = journalIdentity(journalDir(options))
  const plain: KeptHead = { journal: id, seq, hash, at: new Date().toISOString() }
  const kept = key === undefined ? plain : signHead(plain, key)
  if (options.append !== undefined) appendFileSync(options.append, `${headLine(kept)}\n`)
  await print(options.json === true ? headLine(kept) : `${kept.hash}@${kept.seq}`)
}
