/**
 * `npm run lockfile`, after every change of dependencies: adds to package-lock.json the packages for other platforms that
 * npm left out because its registry did not have them at that moment. `npm ci` refuses a lockfile without them, though it
 * would install none of them. What is added holds no checksum, since there was nothing to take it from.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))
const { packages } = lock

for (const [parent, entry] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${parent === '' ? '' : `${parent}/`}node_modules/${name}`
    const shared = `node_modules/${name}`
    if (packages[nested] === undefined && packages[shared] === undefined) {
      packages[shared] = {
        version,
        ...platformOf(name),
        ...(entry.dev ? { dev: true } : {}),
        optional: true,
      }
      process.stdout.write(`added ${name}@${version}\n`)
    }
  }
}
const sorted = Object.entries(packages).sort(([one], [other]) => (one < other ? -1 : 1))
lock.packages = Object.fromEntries(sorted)
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`)

/** Such packages carry their platform in their names. */
function platformOf(name) {
  const os = /-(android|darwin|freebsd|openbsd|netbsd|linux|win32|sunos|aix)\b/.exec(name)?.[1]
  const cpu = /-(arm64|x64|ia32|arm|ppc64|riscv64|s390x|loong64|mips64el)\b/.exec(name)?.[1]
  if (os === undefined || cpu === undefined) throw new Error(`${name}: for which platform?`)
  const libc = /-(musl|gnu)\b/.exec(name)?.[1]
  return {
    os: [os],
    cpu: [cpu],
    ...(libc === undefined ? {} : { libc: [libc === 'gnu' ? 'glibc' : libc] }),
  }
}
