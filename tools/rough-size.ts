/** Sums of bytes for people: three digits that count. Where every byte matters there is size.ts. */

const units = ['', 'K', 'M', 'G', 'T', 'P']

/** `14.9M` for 15,661,056; powers of 1024. */
export function roughSize(bytes: number): string {
  let rest = bytes
  let power = 0
  for (; rest >= 1024 && power < units.length - 1; power++) rest /= 1024
  const digits = power === 0 || rest >= 100 ? 0 : rest >= 10 ? 1 : 2
  return `${rest.toFixed(digits)}${units[power]}`
}
