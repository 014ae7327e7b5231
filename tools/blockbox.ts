#!/usr/bin/env node
/** The command line program. Each command is a file of tools/commands, added here in the order the help shows. */

import { readFileSync } from 'node:fs'
import { add as version } from './commands/version.ts'
import { createProgram, main } from './program.ts'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

await main(createProgram(manifest.version, [version]), process.argv)
