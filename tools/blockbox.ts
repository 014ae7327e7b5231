#!/usr/bin/env node
/** The command line program. Each command is a file of tools/commands, added here in the order the help shows. */

import { readFileSync } from 'node:fs'
import { add as backup } from './commands/backup.ts'
import { add as bisect } from './commands/bisect.ts'
import { add as branch } from './commands/branch.ts'
import { add as clone } from './commands/clone.ts'
import { add as completion } from './commands/completion.ts'
import { add as control } from './commands/control.ts'
import { add as convert } from './commands/convert.ts'
import { add as device } from './commands/device.ts'
import { add as diff } from './commands/diff.ts'
import { add as exporting } from './commands/export.ts'
import { add as fence } from './commands/fence.ts'
import { add as head } from './commands/head.ts'
import { add as image } from './commands/image.ts'
import { add as importing } from './commands/import.ts'
import { add as info } from './commands/info.ts'
import { add as inspect } from './commands/inspect.ts'
import { add as lint } from './commands/lint.ts'
import { add as log } from './commands/log.ts'
import { add as mark } from './commands/mark.ts'
import { add as preserve } from './commands/preserve.ts'
import { add as redact } from './commands/redact.ts'
import { add as reopen } from './commands/reopen.ts'
import { add as replay } from './commands/replay.ts'
import { add as restore } from './commands/restore.ts'
import { add as run } from './commands/run.ts'
import { add as salvage } from './commands/salvage.ts'
import { add as serve } from './commands/serve.ts'
import { add as simulate } from './commands/simulate.ts'
import { add as test } from './commands/test.ts'
import { add as verify } from './commands/verify.ts'
import { add as version } from './commands/version.ts'
import { add as volume } from './commands/volume.ts'
import { createProgram, main } from './program.ts'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

await main(
  createProgram(manifest.version, [
    info,
    log,
    inspect,
    volume,
    branch,
    device,
    clone,
    backup,
    restore,
    preserve,
    fence,
    mark,
    importing,
    lint,
    convert,
    exporting,
    redact,
    run,
    serve,
    reopen,
    control,
    replay,
    test,
    diff,
    bisect,
    image,
    verify,
    head,
    salvage,
    simulate,
    completion,
    version,
  ]),
  process.argv,
)
