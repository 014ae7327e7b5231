/**
 * What a test file says about itself, in comment lines between its header and its first statement:
 *
 *     // needs: program sqlite3
 *     // needs: env BLOCKBOX_TRACES
 *     // needs: package better-sqlite3
 *     // limit: 300 s
 *
 * They are read from the compiled text. A blank line must follow them: the compiler keeps such comments, while it
 * drops those that touch an import it removes. A line that cannot be understood is a fault of the file.
 */

const KINDS = ['program', 'env', 'package'] as const

/** A thing that must be there before the file is worth starting. */
export interface Need {
  readonly kind: (typeof KINDS)[number]
  readonly name: string
}

export interface Declaration {
  readonly needs: readonly Need[]
  /** The file's own time limit in milliseconds. */
  readonly limitMs: number | undefined
  /** Lines that look like a declaration but are none. */
  readonly faults: readonly string[]
}

/** Reads the declarations of a file's text. */
export function declarationOf(text: string): Declaration {
  const needs: Need[] = []
  const faults: string[] = []
  let limitMs: number | undefined
  for (const line of leadingComments(text)) {
    const declared = /^\/\/\s*(needs|limit)\s*:\s*(.*?)\s*$/.exec(line)
    if (declared === null) continue
    const [, word, rest] = declared
    if (word === 'needs') {
      const need = /^(\w+) (\S+)$/.exec(rest!)
      const kind = KINDS.find((known) => known === need?.[1])
      if (kind === undefined) faults.push(line)
      else needs.push({ kind, name: need![2]! })
    } else {
      const limit = /^([1-9]\d{0,4}) s$/.exec(rest!)
      if (limit === null) faults.push(line)
      else limitMs = Number(limit[1]) * 1000
    }
  }
  return { needs, limitMs, faults }
}

/** The `//` lines before the first line of code. */
function leadingComments(text: string): string[] {
  const found: string[] = []
  let inBlock = false
  for (const raw of text.split('\n')) {
    const line = raw.trim()
    if (inBlock) {
      inBlock = !line.includes('*/')
    } else if (line.startsWith('//')) {
      found.push(line)
    } else if (line.startsWith('/*')) {
      inBlock = !line.includes('*/')
    } else if (line !== '' && !line.startsWith('#!')) {
      break
    }
  }
  return found
}
