/** IO. The only door to `pg`: a PostgreSQL client for filling the demo and for the scripted agent. */
import pg from 'pg'

export interface Client {
  /** Rows as objects, values as text. Throws `pg.DatabaseError` for the server's errors. */
  query(text: string, values?: readonly unknown[]): Promise<Answer>
  /** Runs COPY … TO STDOUT and returns its first `linesMax` lines. */
  copyOut(text: string, linesMax: number): Promise<readonly string[]>
  end(): Promise<void>
}

export interface Answer {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly rowCount: number | null
}

/** What a server's error says besides its message; undefined for other errors. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined
  const { code = '', message, hint = '', detail = '' } = error
  return { code, message, hint, detail }
}

export interface Refusal {
  /** SQLSTATE. */
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly detail: string
}

export async function connect(options: {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly applicationName?: string
}): Promise<Client> {
  const { applicationName = 'sluice-demo', ...where } = options
  const client = new pg.Client({ ...where, application_name: applicationName })
  // An idle client whose server goes away must not end the process; the next query tells.
  client.on('error', () => {})
  await client.connect()
  return {
    query: async (text, values) => {
      const { rows, rowCount } = await client.query(text, values === undefined ? [] : [...values])
      return { rows, rowCount }
    },
    copyOut: (text, linesMax) => copyOut(client, text, linesMax),
    end: () => client.end(),
  }
}

/** The driver drops what COPY sends; a query object of our own keeps it. One message is one line. */
function copyOut(client: pg.Client, text: string, linesMax: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const lines: string[] = []
    const query = new pg.Query(text, (error: Error | undefined) => {
      if (error instanceof Error) reject(error)
      else resolve(lines)
    })
    const handleCopyData = ({ chunk }: { readonly chunk: Uint8Array }): void => {
      if (lines.length < linesMax) lines.push(Buffer.from(chunk).toString().trimEnd())
    }
    client.query(Object.assign(query, { handleCopyData }))
  })
}
