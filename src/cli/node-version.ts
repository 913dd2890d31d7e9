/** Pure. Which Node this runs on: 20.19 to 22, as package.json says. */

/** undefined: fine. Otherwise one line for the person. `version` as in `process.versions.node`. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isFine = (major === 20 && minor >= 19) || major === 21 || major === 22
  return isFine ? undefined : `Sluice needs Node 20.19 to 22; this is Node ${version}.`
}
