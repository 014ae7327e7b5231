/**
 * Rows of `npm run canaries`: an invariant of the semantics, or a way to break one that the models found, with the
 * canaries that were planted for it.
 */

/** A row of test/canaries/manifest.json. */
export interface ManifestRow {
  readonly row: string
  /** What the row demands, or what happens where it is broken. */
  readonly says: string
  /** Canaries by name; those whose rule is the row itself belong to it without being named. */
  readonly by?: readonly string[]
}

/** A defect of test/canaries/mutants.json: one text of a compiled file, and what stands there instead. */
export interface CanaryMutant {
  readonly rows: readonly string[]
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly test: string
  /** How the name of the test begins that has to turn red. */
  readonly shows: string
}

/** A line of test/canaries/planted.ts, or a mutant after its test was run. */
export interface PlantedCanary {
  readonly name: string
  /** The rows it belongs to by itself. */
  readonly rows: readonly string[]
  readonly planted: 'history' | 'media' | 'mutant'
  readonly caught: boolean
  /** What caught it, or why nothing did. */
  readonly by: string
}

/** One line of the table; `canary` is undefined where a row has none. */
export interface Line {
  readonly row: string
  readonly says: string
  readonly canary: PlantedCanary | undefined
}

/** Canaries as printed by the program that plants them, one line of JSON each. */
export function parsePlanted(output: string): PlantedCanary[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => {
      const { rule, what, planted, caught, by } = JSON.parse(line) as Record<string, string> & {
        planted: 'history' | 'media'
        caught: boolean
      }
      return { name: `${rule}: ${what}`, rows: [rule!], planted, caught, by: by! }
    })
}

/** Every row with its canaries, one line each; a row without one has a line that says so. */
export function linesOf(manifest: readonly ManifestRow[], planted: readonly PlantedCanary[]): Line[] {
  return manifest.flatMap(({ row, says, by = [] }) => {
    const own = planted.filter(({ name, rows }) => by.includes(name) || rows.includes(row))
    const missing = by.filter((name) => !planted.some((one) => one.name === name))
    const lines = own.map((canary): Line => ({ row, says, canary }))
    const absent = missing.map(
      (name): Line => ({
        ...{ row, says },
        canary: { name, rows: [row], planted: 'history', caught: false, by: 'there is no such canary' },
      }),
    )
    const all = [...lines, ...absent]
    return all.length > 0 ? all : [{ row, says, canary: undefined }]
  })
}
