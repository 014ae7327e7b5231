/** Sizes on the command line are those of scenarios: src/core/size.ts. */

export { formatSize, parseSize } from '../src/core/size.ts'
