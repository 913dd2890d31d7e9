import { jwt } from '../../../src/mask/detectors/jwt.ts'
import { holds } from '../../lib/detector-examples.ts'

holds(jwt, {
  hits: [
    '«eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U»',
    'Bearer «eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U»',
    '{"t":"«eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U»"}',
    'token=«eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.»',
    '«eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp.48V1_ALb6US04U3b.5eym8TW_c8SuK0lt.XFBoMYUZodetZdvT»',
    '«ewogImFsZyI6ICJIUzI1NiIKfQ.e30.AAAA»',
  ],
  passes: [
    'eyewitness.report.today',
    'eyJmb28iOiJiYXIifQ.eyJzdWIiOiJ4In0.abc',
    'www.example.com',
    'eyJub3RqcGVn.x.y',
  ],
})
