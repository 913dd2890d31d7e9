/**
 * Pure. GitHub tokens by their prefixes: personal (`ghp_`), OAuth (`gho_`), user-to-server
 * (`ghu_`), server-to-server (`ghs_`), refresh (`ghr_`), and fine-grained (`github_pat_`). The
 * prefix is proof enough; the checksum inside is not asked for, as a damaged token still tells most
 * of it.
 */
import type { Detector } from './detector.ts'

export const githubToken: Detector = {
  id: 'github_token',
  version: 1,
  group: 'delivery',
  finds: 'GitHub tokens of all kinds',
  checked: '',
  forms: [
    { source: 'gh[pousr]_[A-Za-z0-9]{36,}', score: 95 },
    { source: 'github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59,}', score: 95 },
  ],
  probe: 'gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_',
  needs: { length: 40, run: 40 },
  confirm: (_bytes, start, end) => [{ start, end }],
}
