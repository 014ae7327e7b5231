/** The program as a shell runs it, on one journal in a folder of its own. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

const blockbox = fileURLToPath(new URL('../../tools/blockbox.js', import.meta.url))

export interface Shown {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export class Shell {
  readonly path = mkdtempSync(join(tmpdir(), 'blockbox-shell-'))

  /** A path in the folder. */
  file(name: string): string {
    return join(this.path, name)
  }

  /** Runs one command, written as one line; arguments with spaces come as a list. */
  run(line: string | readonly string[]): Shown {
    const args = typeof line === 'string' ? line.split(' ') : line
    const { status, stdout, stderr } = spawnSync(process.execPath, [blockbox, ...args], {
      cwd: this.path,
      encoding: 'utf8',
      env: { ...process.env, BLOCKBOX_JOURNAL: this.file('j.journal') },
    })
    return { code: status, out: stdout, err: stderr }
  }

  /** What a command prints that has to succeed and to say nothing else. */
  must(line: string): string {
    const { code, out, err } = this.run(line)
    assert.equal([code, err], [0, ''], line)
    return out
  }

  /** The JSON that a command prints, whatever its exit code. */
  json(line: string): Record<string, unknown> {
    return JSON.parse(this.run(`${line} --json`).out) as Record<string, unknown>
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
