"""asyncpg, run by clients.test.ts: `same URL` prints what it saw, `guard URL MASKED` checks refusals and masks."""
import asyncio
import datetime
import decimal
import ipaddress
import json
import sys
import uuid

import asyncpg

TYPES = {
    'int2': -32768, 'int4': 2147483647, 'int8': -(2**63), 'float4': 1.5, 'float8': 1e300,
    'numeric': decimal.Decimal('123456789012345678901234567890.000123'),
    'bool': True, 'text': "it's \U0001f600 \u00e9", 'varchar(5)': 'abcde', 'bytea': bytes(range(256)),
    'date': datetime.date(2024, 2, 29), 'time': datetime.time(23, 59, 59, 999999),
    'timestamp': datetime.datetime(1999, 12, 31, 23, 59, 59, 1),
    'timestamptz': datetime.datetime(2024, 6, 1, 12, 0, 0, 5, datetime.timezone.utc),
    'interval': datetime.timedelta(days=3, seconds=7, microseconds=9),
    'uuid': uuid.UUID('12345678-1234-5678-1234-567812345678'),
    'json': '{"a": [1, null]}', 'jsonb': '{"a": [1, null]}',
    'inet': ipaddress.ip_address('10.1.2.3'), 'cidr': ipaddress.ip_network('10.0.0.0/8'),
    'point': asyncpg.Point(1, 2), 'int4range': asyncpg.Range(1, 5), 'mood': 'good',
    'int4[]': [1, None, 3], 'text[]': ['a,b', '"', None, '{}'], 'int4[][]': [[1, 2], [3, 4]],
    'numeric[]': [decimal.Decimal('NaN'), decimal.Decimal('-0.01')],
    'mood[]': ['bad', 'good'], 'timestamptz[]': [datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)],
    'jsonb[]': ['1', '"x"'], 'varbit': asyncpg.BitString('1011'), 'oid': 4294967295,
}


def show(what, value):
    print(what, repr(value), flush=True)


async def fails(what, waiting):
    try:
        await waiting
    except asyncpg.PostgresError as error:
        names = ('severity', 'detail', 'hint', 'position', 'schema_name', 'table_name',
                 'column_name', 'constraint_name')
        show(what, (type(error).__name__, error.sqlstate, str(error), [getattr(error, n) for n in names]))
        return error
    except Exception as error:
        show(what, type(error).__name__)
        return error
    raise AssertionError('no error: ' + what)


async def types(db):
    for name, value in TYPES.items():
        back, kind = await db.fetchrow(f'SELECT $1::{name}, pg_typeof($1::{name})::text', value)
        assert back == value or back != back or 'NaN' in repr(value), (name, value, back)
        show(name, (back, kind))
    show('nothing', await db.fetchrow('SELECT $1::int, $2::text[]', None, None))
    show('row', await db.fetchrow('SELECT c, o.made IS NULL AS n FROM customers c, orders o WHERE c.id = 3 AND o.id = 3'))
    show('record', await db.fetchval("SELECT (1, 'a', ARRAY[1.5])"))
    show('wide', len(await db.fetchrow('SELECT ' + ','.join(f'{n} AS c{n}' for n in range(1600)))))
    show('many', await db.fetchval('SELECT ' + '+'.join(f'${n + 1}::int' for n in range(1000)), *range(1000)))
    await db.set_type_codec('jsonb', schema='pg_catalog', encoder=json.dumps, decoder=json.loads)
    show('codec', await db.fetchval('SELECT $1::jsonb', {'a': [1, {'b': None}]}))
    await db.reset_type_codec('jsonb', schema='pg_catalog')
    await db.reload_schema_state()


async def statements(db):
    prepared = await db.prepare('SELECT id, name, score FROM customers WHERE id = $1 AND tags @> $2')
    show('parameters', prepared.get_parameters())
    show('attributes', prepared.get_attributes())
    show('plan', (await prepared.explain(1, ['b']))[0]['Plan']['Node Type'])
    for n in (1, 1000, 1001):
        show('fetch', await prepared.fetch(n, ['b']))
    # More texts than the driver's cache holds: it closes what it forgets.
    for n in range(150):
        assert await db.fetchval(f'SELECT {n} + $1::int', n) == 2 * n
    for n in range(150):
        assert await db.fetchval(f'SELECT {n} + $1::int', 1) == n + 1
    show('several', await db.execute('SELECT 1; SELECT 2; UPDATE customers SET score = score WHERE id = 1'))
    show('status', prepared.get_statusmsg())
    await db.execute('CREATE TEMP TABLE changing (a int)')
    show('before', await db.fetch('SELECT * FROM changing'))
    await db.execute('ALTER TABLE changing ADD COLUMN b text')
    await db.execute("INSERT INTO changing VALUES (1, 'x')")
    show('after', await db.fetch('SELECT * FROM changing'))
    await db.execute('DROP TABLE changing')


async def transactions(db):
    class Mine(Exception):
        pass

    count = 'SELECT count(*) FROM orders WHERE customer_id = 77 AND total = 7777'
    insert = 'INSERT INTO orders (customer_id, total) VALUES ($1, $2)'
    async with db.transaction():
        await db.execute(insert, 77, decimal.Decimal(7777))
        try:
            async with db.transaction():
                await db.execute(insert, 77, decimal.Decimal(7777))
                show('inside', await db.fetchval(count))
                raise Mine
        except Mine:
            pass
        show('rolled back to', await db.fetchval(count))
        await fails('in savepoint', nested(db))
        show('still alive', await db.fetchval(count))
    show('committed', await db.fetchval(count))
    show('deleted', await db.execute('DELETE FROM orders WHERE customer_id = 77 AND total = 7777'))
    async with db.transaction(isolation='serializable', readonly=True, deferrable=True):
        show('isolation', await db.fetchval('SHOW transaction_isolation'))
        show('read only', await db.fetchval('SHOW transaction_read_only'))
    outer = db.transaction(isolation='repeatable_read')
    await outer.start()
    await fails('broken', db.execute('SELECT 1 / 0'))
    await fails('aborted', db.fetch('SELECT 1'))
    await outer.rollback()
    show('after', await db.fetchval('SELECT 1'))


async def nested(db):
    async with db.transaction():
        await db.fetchval('SELECT $1::int / 0', 1)


async def copies(db):
    await db.execute('CREATE TEMP TABLE copied (a int, b text, c timestamptz, d numeric[])')
    day = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    rows = [(n, None if n % 7 == 0 else 'é' * (n % 50), day, [decimal.Decimal(n)]) for n in range(20000)]
    show('records', await db.copy_records_to_table('copied', records=rows))
    show('sum', await db.fetchrow('SELECT count(*), sum(a), count(b), sum(d[1]) FROM copied'))
    for options in ({}, {'format': 'csv', 'header': True, 'null': '-'}, {'format': 'binary'}):
        out = bytearray()

        async def sink(data):
            out.extend(data)

        show('out', await db.copy_from_query('SELECT a, b FROM copied WHERE a < $1', 5000, output=sink, **options))
        show('bytes', (len(out), bytes(out[:40])))
        await db.execute('CREATE TEMP TABLE again (a int, b text)')

        async def source():
            for at in range(0, len(out), 7001):
                yield bytes(out[at:at + 7001])

        show('in', await db.copy_to_table('again', source=source(), **options))
        show('equal', await db.fetchval('SELECT count(*) FROM again JOIN copied USING (a) WHERE again.b IS NOT DISTINCT FROM copied.b'))
        await db.execute('DROP TABLE again')

    async def broken():
        yield b'1\tx\t2024-01-01\t{1}\n'
        raise RuntimeError('mine')

    await fails('source broke', db.copy_to_table('copied', source=broken()))
    await fails('bad record', db.copy_to_table('copied', source=one(b'x\n')))
    show('after', await db.fetchval('SELECT count(*) FROM copied'))
    await db.execute('DROP TABLE copied')


async def one(data):
    yield data


async def cursors(db):
    async with db.transaction():
        seen = [row[0] async for row in db.cursor('SELECT id FROM customers WHERE id > $1 ORDER BY id', 10, prefetch=37)]
        show('walked', (len(seen), seen[:3], seen[-1]))
        cursor = await db.cursor('SELECT id FROM customers ORDER BY id')
        other = await db.cursor('SELECT id FROM orders ORDER BY id')
        show('some', [row[0] for row in await cursor.fetch(3)])
        show('other', [row[0] for row in await other.fetch(3)])
        show('forward', await cursor.forward(500))
        show('row', (await cursor.fetchrow())[0])
        show('end', [row[0] for row in await cursor.fetch(10000)][-1])
        show('none', await cursor.fetchrow())


async def batches(db):
    await db.execute('CREATE TEMP TABLE many (a int PRIMARY KEY, b text)')
    await db.executemany('INSERT INTO many VALUES ($1, $2)', [(n, str(n)) for n in range(5000)])
    show('many', await db.fetchrow('SELECT count(*), sum(a) FROM many'))
    await fails('one twice', db.executemany('INSERT INTO many VALUES ($1, $2)', [(n, 'x') for n in (5001, 5002, 7, 5003)]))
    show('none of them', await db.fetchrow('SELECT count(*), sum(a) FROM many'))
    await db.execute('DROP TABLE many')


async def notifications(db, url):
    heard = asyncio.Queue()
    logged = []
    other = await asyncpg.connect(url)
    await db.add_listener('news', lambda *args: heard.put_nowait(args[2:]))
    db.add_log_listener(lambda _, message: logged.append((message.sqlstate, message.message)))
    await other.execute("SELECT pg_notify('news', 'one')")
    await other.execute("NOTIFY news, 'two'")
    show('heard', [await asyncio.wait_for(heard.get(), 10) for _ in range(2)])
    await db.execute('ROLLBACK')
    await asyncio.sleep(0.05)
    show('notices', logged)
    await db.reset()
    await other.close()


async def limits(db):
    await fails('timeout', db.execute('SELECT pg_sleep(20)', timeout=0.3))
    # PostgreSQL signals twice for one cancel; the second may come late on a busy machine.
    await asyncio.sleep(0.3)
    show('after timeout', await db.fetchval('SELECT 1'))
    await db.execute("SET statement_timeout = '200ms'")
    await fails('its own', db.fetch('SELECT pg_sleep($1)', 20))
    await db.execute('RESET statement_timeout')
    task = asyncio.ensure_future(db.fetch('SELECT pg_sleep($1)', 20))
    await asyncio.sleep(0.2)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        show('cancelled', True)
    await asyncio.sleep(0.3)
    show('after cancel', await db.fetchval('SELECT 2'))


async def errors(db):
    # What the gateway cannot read says so in DETAIL and HINT; the rest is as PostgreSQL says it.
    try:
        await db.fetch('SELECT FROM WHERE x')
    except asyncpg.PostgresSyntaxError as error:
        show('syntax', (error.sqlstate, error.args[0].split('\n')[0], error.position))
    await fails('column', db.fetch('SELECT naem FROM customers'))
    await fails('table', db.fetch('SELECT * FROM nowhere'))
    await fails('unique', db.execute("INSERT INTO customers (id, name) VALUES (1, 'x')"))
    await fails('foreign', db.execute('INSERT INTO orders (customer_id) VALUES (0)'))
    await fails('null', db.execute('INSERT INTO customers (id) VALUES (5000)'))
    await fails('type', db.fetch('SELECT $1::int', 'x'))
    await fails('count', db.fetch('SELECT $1::int'))
    await fails('text', db.fetch("SELECT 'x'::int"))


async def pools(url):
    async with asyncpg.create_pool(url, min_size=2, max_size=5) as pool:
        async def work(n):
            async with pool.acquire() as db:
                async with db.transaction():
                    await db.execute(f"SET LOCAL application_name = 'worker {n}'")
                    await db.execute('SELECT pg_advisory_lock($1)', n)
                    return await db.fetchval('SELECT $1::int * 2', n)

        show('pool', await asyncio.gather(*(work(n) for n in range(100))))
        show('locks', await pool.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"))


async def same(url):
    db = await asyncpg.connect(url)
    show('version', db.get_server_version())
    show('settings', (db.get_settings().TimeZone, db.get_settings().client_encoding))
    for part in (types, statements, transactions, copies, cursors, batches, limits, errors):
        print('#', part.__name__)
        await part(db)
    await notifications(db, url)
    await db.close()
    await pools(url)
    for wrong in (url + 'x', url.replace('@', 'x@')):
        try:
            await asyncpg.connect(wrong)
        except asyncpg.PostgresError as error:
            show('login', isinstance(error, (asyncpg.InvalidPasswordError, asyncpg.InvalidCatalogNameError, asyncpg.InsufficientPrivilegeError)))


async def guard(url, masked):
    db = await asyncpg.connect(url)
    refused = asyncpg.InsufficientPrivilegeError
    for act in (
        lambda: db.execute('DELETE FROM orders WHERE id = 1'),
        lambda: db.fetch('DELETE FROM orders WHERE id = $1 RETURNING id', 1),
        lambda: db.executemany('UPDATE orders SET total = $1 WHERE id = $2', [(1, 1), (2, 2)]),
        lambda: db.prepare('DROP TABLE orders'),
        lambda: db.copy_records_to_table('orders', records=[(1, 2)], columns=['id', 'customer_id']),
        lambda: db.copy_to_table('orders', source=one(b'1\t2\n'), columns=['id', 'customer_id']),
    ):
        try:
            await act()
        except refused as error:
            assert error.sqlstate == '42501', error.sqlstate
            assert str(error).startswith('No role of this identity allows'), str(error)
            machine = json.loads(error.detail)['sluice']
            assert machine['verdict'] == 'not_allowed' and machine['retry'] is False, machine
            assert error.hint, error
        else:
            raise AssertionError('was let through')
        assert await db.fetchval('SELECT 1') == 1
    transaction = db.transaction()
    await transaction.start()
    await db.fetchval('SELECT 1')
    try:
        await db.execute('DELETE FROM orders WHERE id = 1')
    except refused:
        pass
    try:
        await db.fetchval('SELECT 1')
        raise AssertionError('the transaction goes on')
    except asyncpg.InFailedSQLTransactionError:
        pass
    await transaction.rollback()
    assert await db.fetchval('SELECT count(*) FROM orders WHERE id = 1') == 1
    await db.close()

    db = await asyncpg.connect(masked)
    row = await db.fetchrow('SELECT id, name, email FROM customers WHERE id = $1', 7)
    assert dict(row) == {'id': 7, 'name': 'Name 7', 'email': '****'}, row
    rows = await db.fetch('SELECT * FROM customers WHERE id < $1 ORDER BY id', 100)
    assert {row['email'] for row in rows} == {'****'} and rows[50]['tags'] == ['a51', 'b'], rows[50]
    async with db.transaction():
        async for row in db.cursor('SELECT email, born FROM customers', prefetch=13):
            assert row['email'] == '****' and row['born'].year >= 1980, row
    out = bytearray()

    async def sink(data):
        out.extend(data)

    await db.copy_from_table('customers', columns=['id', 'email'], output=sink, format='csv')
    assert b'\n77,"****"\n' in out and b'@' not in out, out[:100]
    for text in ('SELECT id FROM customers ORDER BY email', "SELECT 1 FROM customers WHERE email = 'c7@example.com'"):
        try:
            await db.fetch(text)
        except refused as error:
            assert error.sqlstate == '42501' and '@' not in (error.detail or ''), error
        else:
            raise AssertionError(text)
    await db.close()
    print('fine')


asyncio.run({'same': same, 'guard': guard}[sys.argv[1]](*sys.argv[2:]))
