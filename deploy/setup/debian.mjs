/**
 * Debian packages: found by a file that each brings, installed by apt where one is missing. Asks apt nothing when
 * none is.
 */
import { existsSync } from 'node:fs'
import { run, SetupError, say } from './run.mjs'

/** package → a file that is there when it is installed. */
export const COMPILERS = {
  'g++': '/usr/bin/g++',
  make: '/usr/bin/make',
  python3: '/usr/bin/python3',
}

export const TEST_PROGRAMS = {
  'postgresql-15': '/usr/lib/postgresql/15/bin/postgres',
  'postgresql-client-15': '/usr/lib/postgresql/15/bin/psql',
  pgbouncer: '/usr/sbin/pgbouncer',
  haproxy: '/usr/sbin/haproxy',
  openssl: '/usr/bin/openssl',
  gcc: '/usr/bin/gcc',
  e2fsprogs: '/usr/sbin/mkfs.ext4',
  'python3-psycopg2': '/usr/lib/python3/dist-packages/psycopg2/__init__.py',
}

/** For `npm run test:real` only. */
export const SUITE_PROGRAMS = {
  bzip2: '/usr/bin/bzip2',
  'python3-asyncpg': '/usr/lib/python3/dist-packages/asyncpg/__init__.py',
  'python3-psycopg': '/usr/lib/python3/dist-packages/psycopg/__init__.py',
  'python3-sqlalchemy': '/usr/lib/python3/dist-packages/sqlalchemy/__init__.py',
  'python3-django': '/usr/lib/python3/dist-packages/django/__init__.py',
  'default-jdk-headless': '/usr/bin/javac',
  'libpostgresql-jdbc-java': '/usr/share/java/postgresql.jar',
  'golang-go': '/usr/bin/go',
  'golang-github-jackc-pgx-v4-dev': '/usr/share/gocode/src/github.com/jackc/pgx/v4/conn.go',
  prometheus: '/usr/bin/prometheus',
}

/** Names of the packages of `programs` that are not installed. */
export function missingPrograms(programs) {
  return Object.keys(programs).filter((name) => !existsSync(programs[name]))
}

export function ensureDebianPackages(programs) {
  const missing = missingPrograms(programs)
  if (missing.length === 0) return
  const names = missing.join(' ')
  if (!existsSync('/usr/bin/apt-get')) {
    throw new SetupError(
      `these programs are missing and there is no apt-get to install them: ${names}`,
    )
  }
  const root = process.getuid() === 0
  if (!root && !existsSync('/usr/bin/sudo')) {
    throw new SetupError(`as root, run: apt-get install ${names}`)
  }
  say(`installing Debian packages: ${names}`)
  const apt = (...args) => {
    const line = ['DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args]
    return root ? run('env', line) : run('sudo', ['env', ...line])
  }
  const wanted = ['install', '-y', '--no-install-recommends', ...missing]
  apt('update')
  if (!apt(...wanted) || missingPrograms(programs).length > 0) {
    throw new SetupError(`apt-get could not install ${names}; its messages stand above.`)
  }
}
