/** `blockbox run`: drives a scenario's hosts and control steps into a journal, recorded as one run. */

import type { Command } from 'commander'
import { advice, type Code } from '../../src/events/code.ts'
import { drive } from '../drive.ts'
import { exitCodes } from '../exit-code.ts'
import { type JournalOption, journalDir, journalOption } from '../journal-option.ts'
import { print } from '../output.ts'
import { remark } from '../remark.ts'
import { hostLines, systemLines } from '../report.ts'

interface RunOptions extends JournalOption {
  readonly json?: boolean
  readonly ack?: string
}

export function add(program: Command): void {
  journalOption(program.command('run'))
    .description('drive the hosts and steps of a scenario into a journal')
    .argument('<scenario>', 'a .scenario.toml file; the traces it names are relative to it')
    .option(
      '--ack <when>',
      'answer writes when "durable" or, like a disk with a cache, when "buffered"',
      'durable',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  blockbox run traces/nightly.scenario.toml -j nightly.journal\n\nExit code 1 when requests or commands were refused.\n',
    )
    .action(run)
}

async function run(path: string, options: RunOptions): Promise<void> {
  const ack = options.ack === 'buffered' ? 'buffered' : 'durable'
  const { scenario, report, seconds, sum } = await drive(path, journalDir(options), ack)
  const refused = Object.entries(sum.refused)
  if (refused.length > 0) process.exitCode = exitCodes.error
  if (options.json === true) {
    const { rounds, hosts } = report
    const systems = { backups: [...sum.backups.values()], restores: sum.restores, refused: sum.refused }
    await print(JSON.stringify({ version: 1, scenario: scenario.name, rounds, seconds, hosts, ...systems }))
    return
  }
  await print(`scenario ${scenario.name}: ${report.rounds} rounds in ${seconds.toFixed(2)} s`)
  await print(hostLines(scenario, report))
  const lines = systemLines(sum)
  if (lines !== '') await print(lines)
  for (const [code, count] of refused) remark(`${count} were refused: ${code}: ${advice[code as Code]}`)
}
