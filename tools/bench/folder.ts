/** A folder on the disk to be measured: below BLOCKBOX_BENCH_DIR or the system's temporary folder, removed at the end. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Runs `use` with a new empty folder. */
export async function withFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(process.env.BLOCKBOX_BENCH_DIR ?? tmpdir(), 'blockbox-bench-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
