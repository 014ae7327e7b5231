/**
 * Claims and the tests that show them. A test names its claims at the beginning of its name, `S1 claims 2, 13: ...`;
 * a requirement is the row of claims that mean the same for method, system and program.
 */

export interface Requirement {
  readonly seed: string
  readonly claims: readonly number[]
  readonly requirement: string
}

/** A defect of one rule, planted in the compiled code; the tests of its claims must turn red. */
export interface Mutant {
  readonly claims: readonly number[]
  /** The test file, and the source file the defect is planted in, as paths of the repository. */
  readonly test: string
  readonly file: string
  readonly name: string
  /** Text of the compiled file, and what stands there instead. */
  readonly find: string
  readonly replace: string
}

/** What was found out about one requirement. */
export interface Row extends Requirement {
  /** Names of the tests that name one of its claims. */
  readonly tests: readonly string[]
  /** Those of them that failed. */
  readonly red: readonly string[]
  /** The mutant and whether its defect was noticed; undefined when none is named. */
  readonly mutant: { readonly name: string; readonly noticed: boolean; readonly why: string } | undefined
}

const beginning = /\b(S\d) claims? ([\d, ]*\d)/

/** The seed and claims at the beginning of a test's name; undefined when it names none. */
export function claimsOf(
  name: string,
): { readonly seed: string; readonly claims: readonly number[] } | undefined {
  const match = beginning.exec(name)
  if (match === null) return undefined
  const claims = match[2]!.split(',').map(Number)
  return { seed: match[1]!, claims: claims.filter((claim) => claim > 0) }
}

/**
 * Names of tests in the text of a compiled test file that begin with claims: written out, or put together for several
 * kinds of clone by a function called with the claims and what is shown, `claims('1, 23, 45', '...')`.
 */
export function namesIn(source: string): string[] {
  const written = [...source.matchAll(/(['"`])(S\d claims? \d[^'"`\n]+)\1/g)].map((match) => match[2]!)
  const seed = /suite\(['"](S\d) claims['"]\)/.exec(source)?.[1]
  const made = [...source.matchAll(/\bclaims\(['"]([\d, ]+)['"],\s*(['"`])(.+?)\2/g)]
  return [...written, ...made.map((match) => `${seed} claims ${match[1]}: ${match[3]}`)]
}

/** Names of failed tests in what uvu printed. */
export function failuresIn(output: string): string[] {
  return [...output.matchAll(/^\s*FAIL\s+.*?"(.*)"\s*$/gm)].map((match) => match[1]!)
}

/** True when a test's name names one of a requirement's claims. */
export function names(requirement: Pick<Requirement, 'seed' | 'claims'>, name: string): boolean {
  const found = claimsOf(name)
  if (found === undefined || found.seed !== requirement.seed) return false
  return found.claims.some((claim) => requirement.claims.includes(claim))
}

/** True when a claim is named by a test, its tests are green and its mutant turned one of them red. */
export function isShown(row: Row, claim: number): boolean {
  const named = row.tests.some((name) => names({ seed: row.seed, claims: [claim] }, name))
  return named && row.red.length === 0 && row.mutant?.noticed === true
}
