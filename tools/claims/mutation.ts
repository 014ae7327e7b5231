/**
 * Planting defects: a copy of the compiled project, one file changed by one replacement, one test file run in it.
 */

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runFile } from '../test/child.ts'
import { failuresIn } from './claim.ts'

const limitMs = 120_000

/** One text of a compiled file, what stands there instead, and the test file to be run; paths are the repository's. */
export interface Defect {
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly test: string
}

export interface Planted {
  readonly noticed: boolean
  readonly why: string
}

/** A copy of the build below `built`, in which defects can be planted one after the other. */
export class Nursery {
  readonly #folder: string
  readonly #built: string

  constructor(built: string, root: string, number: number) {
    this.#folder = join(built, 'mutants', String(number))
    this.#built = built
    rmSync(this.#folder, { recursive: true, force: true })
    mkdirSync(join(this.#folder, '.build'), { recursive: true })
    for (const part of ['src', 'test', 'tools']) {
      cpSync(join(built, part), join(this.#folder, '.build', part), { recursive: true })
    }
    for (const beside of ['traces', 'package.json', 'test']) {
      symlinkSync(join(root, beside), join(this.#folder, beside))
    }
  }

  /** Plants the defect, runs its test file, takes it back. It is noticed when a test fails that `notices` names. */
  async plant(mutant: Defect, notices: (test: string) => boolean): Promise<Planted> {
    const run = await this.withDefect(mutant, (build) => runFile(join(build, compiled(mutant.test)), limitMs))
    if (typeof run === 'string') return { noticed: false, why: run }
    const { ending, output } = run
    if (ending.expiredMs !== undefined) return { noticed: true, why: 'its test never ended' }
    const failed = failuresIn(output)
    const red = failed.filter(notices)
    if (red.length > 0) return { noticed: true, why: red[0]! }
    const why =
      failed.length > 0 ? `other tests failed: ${failed[0]}` : `its test ended with code ${ending.code}`
    return { noticed: false, why }
  }

  /** What `use` makes of the build with the defect in it; in words when there is no place to plant it. */
  async withDefect<T>(defect: Omit<Defect, 'test'>, use: (build: string) => Promise<T>): Promise<T | string> {
    const file = compiled(defect.file)
    const place = join(this.#folder, '.build', file)
    if (!existsSync(place)) return `there is no ${defect.file}`
    const sound = readFileSync(join(this.#built, file), 'utf8')
    if (!sound.includes(defect.find)) return `${defect.file} no longer has the text to replace`
    writeFileSync(
      place,
      sound.replace(defect.find, () => defect.replace),
    )
    try {
      return await use(join(this.#folder, '.build'))
    } finally {
      writeFileSync(place, sound)
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function compiled(path: string): string {
  return path.replace(/\.ts$/, '.js')
}
