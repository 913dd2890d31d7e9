import { githubToken } from '../../../src/mask/detectors/github-token.ts'
import { holds } from '../../lib/detector-examples.ts'

holds(githubToken, {
  hits: [
    '«ghp_16C7e42F292c6912E7710c838347Ae178B4a»',
    'https://x:«ghp_16C7e42F292c6912E7710c838347Ae178B4a»@github.com',
    '«gho_16C7e42F292c6912E7710c838347Ae178B4a»',
    '«github_pat_11ABCDEFG0123456789012_a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3D4e5a1B2c3D4e»',
  ],
  passes: ['ghp_short', 'ghx_16C7e42F292c6912E7710c838347Ae178B4a', 'github_pat_11ABC'],
})
