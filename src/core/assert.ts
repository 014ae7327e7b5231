/**
 * Assertions stay on in production: they name programmer errors before they can reach the journal.
 *
 * `assert` is for what this code itself guarantees. `must` is for a rule of the semantics: it names the rule,
 * so that a replay of a planted or foreign history reports the rule and goes no further.
 */

/** A rule of the semantics that a history breaks. `rule` is its identifier, S1-I4 for instance. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, detail: string) {
    super(detail)
    this.name = 'Violation'
    this.rule = rule
  }
}

/** Throws when `condition` is false: a defect of this program. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}

/** Throws a Violation of `rule` when `condition` is false: a defect of the history being folded. */
export function must(condition: boolean, rule: string, detail: string): asserts condition {
  if (!condition) throw new Violation(rule, detail)
}
