/**
 * A TypeScript file as the house rules look at it: its text, its code with comments and the insides of strings blanked
 * out (so that a word in prose is no finding, and positions stay), and what it imports.
 *
 * This is a scanner for our own formatted sources, not a parser: a regular expression is told from a division by the
 * character before it.
 */

export interface Import {
  /** As written for a package or a builtin; from the root of the repository for a relative one. */
  readonly target: string
  readonly relative: boolean
  readonly typeOnly: boolean
  /** `export ... from`. */
  readonly reexport: boolean
}

export interface Source {
  /** From the root of the repository, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly code: string
  readonly imports: readonly Import[]
}

/** Scans one file. */
export function sourceOf(path: string, text: string): Source {
  const code = codeOf(text)
  return { path, text, code, imports: importsOf(path, text, code) }
}

const BODY = '(?:\\\\[\\s\\S]|\\$(?!\\{)|[^`\\\\$])*(?:`|\\$\\{)'
const SPACE_OR_COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const STRING = /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y
const TEMPLATE_START = new RegExp(`\`${BODY}`, 'y')
const TEMPLATE_MORE = new RegExp(`\\}${BODY}`, 'y')
const REGEXP = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[dgimsuvy]*/y
const BEFORE_REGEXP = /(?:^|[=(,:;!&|?{}[+\-*%<>~^]|\b(?:return|typeof|case|in|of))$/

/** The text with comments, string contents and regular expressions replaced by spaces; line breaks stay. */
export function codeOf(text: string): string {
  let code = ''
  /** For each template being read, how many braces are open inside its current `${`. */
  const depths: number[] = []
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = code.length
    return pattern.exec(text)?.[0]
  }
  const template = (token: string, starts: boolean): string => {
    const goesOn = token.endsWith('${')
    if (starts && goesOn) depths.push(0)
    if (!starts && !goesOn) depths.pop()
    const tail = goesOn ? 2 : 1
    return token[0] + blank(token.slice(1, -tail)) + token.slice(-tail)
  }
  while (code.length < text.length) {
    const char = text[code.length]!
    let token: string | undefined
    if (char === '/') {
      token = take(SPACE_OR_COMMENT)
      if (token === undefined && BEFORE_REGEXP.test(code.slice(-200).trimEnd())) token = take(REGEXP)
      if (token !== undefined) token = blank(token)
    } else if (char === "'" || char === '"') {
      token = take(STRING)
      if (token !== undefined) token = char + blank(token.slice(1, -1)) + char
    } else if (char === '`') {
      token = take(TEMPLATE_START)
      if (token !== undefined) token = template(token, true)
    } else if (char === '}' && depths.at(-1) === 0) {
      token = take(TEMPLATE_MORE)
      if (token !== undefined) token = template(token, false)
    } else if (depths.length > 0 && (char === '{' || char === '}')) {
      depths[depths.length - 1]! += char === '{' ? 1 : -1
    }
    code += token ?? char
  }
  return code
}

const blank = (text: string) => text.replace(/[^\n]/g, ' ')

const STATEMENT = /^(import|export)\s+(type\s+)?([\w$*{}\s,]+?)\s*from\s*(['"])( *)\4/dgm
const SIDE_EFFECT = /^import\s*(['"])( *)\1/dgm
const CALL = /\bimport\s*\(\s*(['"`])( *)\1/dg

function importsOf(path: string, text: string, code: string): Import[] {
  const found: Import[] = []
  const add = (range: [number, number], typeOnly: boolean, reexport: boolean) => {
    const written = text.slice(...range)
    const relative = written.startsWith('.')
    found.push({ target: relative ? resolved(path, written) : written, relative, typeOnly, reexport })
  }
  for (const match of code.matchAll(STATEMENT)) {
    const [, word, type, clause] = match
    const named = clause!.startsWith('{') && clause!.replace(/[{}\s]/g, '') !== ''
    const allTypes = named && clause!.split(',').every((name) => /^[{}\s]*(type\s|$)/.test(name))
    add(match.indices![5]!, type !== undefined || allTypes, word === 'export')
  }
  for (const match of code.matchAll(SIDE_EFFECT)) add(match.indices![2]!, false, false)
  for (const match of code.matchAll(CALL)) add(match.indices![2]!, false, false)
  return found
}

function resolved(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}
