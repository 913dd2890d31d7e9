"""psycopg 3, run by clients.test.ts: `same URL` prints what it saw, `guard URL MASKED` checks refusals and masks."""
import datetime
import decimal
import ipaddress
import json
import logging
import sys
import threading
import time
import uuid

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.enum import EnumInfo
from psycopg.types.json import Json, Jsonb
from psycopg.types.range import Range

# The driver logs what it swallows at the end of a pipeline that failed.
logging.disable()

VALUES = {
    'int2': 7, 'int8': -(2**63), 'float8': 1.25, 'numeric': decimal.Decimal('1e-20'), 'bool': True,
    'text': "it's \U0001f600", 'bytea': bytes(range(256)), 'date': datetime.date(2024, 2, 29),
    'time': datetime.time(23, 59, 59, 999999), 'timestamp': datetime.datetime(1999, 12, 31, 23, 59),
    'timestamptz': datetime.datetime(2024, 6, 1, 12, tzinfo=datetime.timezone.utc),
    'interval': datetime.timedelta(days=3, microseconds=9),
    'uuid': uuid.UUID('12345678-1234-5678-1234-567812345678'), 'json': Json({'a': [1, None]}),
    'jsonb': Jsonb({'a': [1, None]}), 'inet': ipaddress.ip_address('::1'),
    'cidr': ipaddress.ip_network('10.0.0.0/8'), 'int4range': Range(1, 5), 'int4[]': [1, None, 3],
    'int4[][]': [[1, 2], [3, 4]], 'text[]': ['a,b', '"', None, '{}'],
    'numeric[]': [decimal.Decimal('-0.01')], 'timestamptz[]': [datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)],
}


def show(what, value):
    print(what, repr(value), flush=True)


def fails(what, act):
    try:
        act()
    except psycopg.Error as error:
        diag = error.diag
        fields = [diag.severity, diag.message_detail, diag.message_hint, diag.statement_position,
                  diag.table_name, diag.column_name, diag.constraint_name]
        show(what, (type(error).__name__, error.sqlstate, diag.message_primary, fields))
        return error
    raise AssertionError('no error: ' + what)


def types(db):
    for binary in (False, True):
        cursor = db.cursor(binary=binary)
        for name, value in VALUES.items():
            mark = '%b' if binary and not name.startswith('json') else '%s'
            cursor.execute(f'SELECT {mark}::{name}, pg_typeof(%s::{name})::text', (value, value))
            show((name, binary), cursor.fetchone())
        show('description', [(c.name, c.type_code, c.internal_size) for c in cursor.execute('SELECT * FROM customers LIMIT 1').description])
        show('row', cursor.execute('SELECT id, name, born, score, tags FROM customers WHERE id = 3').fetchone())
    info = EnumInfo.fetch(db, 'mood')
    show('enum', (info.name, info.labels))


def statements(db):
    for n in range(12):
        cursor = db.execute('SELECT name FROM customers WHERE id = %s', (n + 1,))
        show('name', cursor.fetchone())
    prepared = 'SELECT name FROM pg_prepared_statements ORDER BY prepare_time'
    show('prepared', len(db.execute(prepared, prepare=False).fetchall()))
    for n in range(130):
        assert db.execute(f'SELECT {n} + %s::int', (n,), prepare=True).fetchone() == (2 * n,)
    show('kept', len(db.execute(prepared, prepare=False).fetchall()))
    show('several', db.execute('SELECT 1; SELECT 2').nextset())
    show('status', db.execute('UPDATE customers SET score = score WHERE id IN (1, 2)').statusmessage)
    # Interpolated by the client, sent as one simple query.
    client = psycopg.ClientCursor(db)
    show('client side', client.execute('SELECT %s, %s', ("a'b", [1, 2])).fetchone())
    composed = sql.SQL('SELECT {} FROM {} WHERE id = %s').format(sql.Identifier('name'), sql.Identifier('public', 'customers'))
    show('composed', db.execute(composed, (4,)).fetchone())


def transactions(db):
    count = 'SELECT count(*) FROM orders WHERE customer_id = 78 AND total = 7778'
    insert = 'INSERT INTO orders (customer_id, total) VALUES (78, 7778)'
    with db.transaction():
        db.execute(insert)
        try:
            with db.transaction(savepoint_name='inner'):
                db.execute(insert)
                show('inside', db.execute(count).fetchone())
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        with db.transaction():
            db.execute(insert)
            raise psycopg.Rollback
        show('rolled back to', db.execute(count).fetchone())
        show('status', db.info.transaction_status.name)
    show('committed', db.execute(count).fetchone())
    show('deleted', db.execute('DELETE FROM orders WHERE customer_id = 78 AND total = 7778').rowcount)
    db.autocommit = False
    db.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    db.read_only = True
    show('isolation', db.execute('SHOW transaction_isolation').fetchone())
    fails('read only', lambda: db.execute(insert))
    fails('aborted', lambda: db.execute('SELECT 1'))
    show('in error', db.info.transaction_status.name)
    db.rollback()
    db.isolation_level = db.read_only = None
    db.autocommit = True


def copies(db):
    db.execute('CREATE TEMP TABLE copied (a int, b text, c numeric)')
    cursor = db.cursor()
    for binary in (False, True):
        form = ' (FORMAT binary)' if binary else ''
        with cursor.copy('COPY copied FROM STDIN' + form) as copy:
            if binary:
                copy.set_types(['int4', 'text', 'numeric'])
            for n in range(10000):
                copy.write_row((n, None if n % 9 == 0 else 'é\t\n\\' * (n % 5), decimal.Decimal(n) / 8))
        show('in', (binary, cursor.rowcount, cursor.statusmessage))
        with cursor.copy('COPY (SELECT a, b, c FROM copied ORDER BY a, c LIMIT 5000) TO STDOUT' + form) as copy:
            if binary:
                copy.set_types(['int4', 'text', 'numeric'])
            rows = list(copy.rows())
        show('out', (len(rows), rows[:3], rows[-1]))
    with cursor.copy('COPY copied TO STDOUT (FORMAT csv, HEADER)') as copy:
        show('bytes', sum(len(bytes(data)) for data in copy))

    def broken():
        with cursor.copy('COPY copied FROM STDIN') as copy:
            copy.write('1\tx\t1\n')
            raise ZeroDivisionError

    try:
        broken()
    except (ZeroDivisionError, psycopg.Error) as error:
        show('broken', type(error).__name__)
    def wrong():
        with cursor.copy('COPY copied FROM STDIN') as copy:
            copy.write('x\n')

    fails('wrong', wrong)
    show('after', db.execute('SELECT count(*), sum(c) FROM copied').fetchone())
    db.execute('DROP TABLE copied')


def pipelines(db):
    with db.pipeline() as pipeline:
        cursors = [db.execute('SELECT %s::int + 1', (n,)) for n in range(500)]
        pipeline.sync()
        show('results', sum(cursor.fetchone()[0] for cursor in cursors))
    def stumble():
        with db.pipeline():
            first = db.execute('SELECT 1')
            db.execute('SELECT 1 / 0')
            db.execute('SELECT 3')
            first.fetchone()

    fails('in a pipeline', stumble)
    with db.pipeline(), db.transaction():
        cursor = db.cursor()
        cursor.executemany('INSERT INTO orders (customer_id, total) VALUES (%s, %s) RETURNING total', [(79, n) for n in range(50)], returning=True)
        seen = []
        while True:
            seen.append(cursor.fetchone()[0])
            if not cursor.nextset():
                break
        show('returning', seen)
        raise psycopg.Rollback
    cursor = db.cursor()
    db.execute('CREATE TEMP TABLE many (a int PRIMARY KEY)')
    cursor.executemany('INSERT INTO many VALUES (%s)', [(n,) for n in range(2000)])
    show('many', cursor.rowcount)
    fails('twice', lambda: cursor.executemany('INSERT INTO many VALUES (%s)', [(3000,), (5,), (3001,)]))
    show('kept', db.execute('SELECT count(*) FROM many').fetchone())
    db.execute('DROP TABLE many')


def cursors(db):
    with db.transaction():
        with db.cursor(name='walk', binary=True) as cursor:
            cursor.itersize = 70
            cursor.execute('SELECT id FROM customers WHERE id > %s ORDER BY id', (10,))
            show('walked', sum(row[0] for row in cursor))
        with db.cursor(name='scroll', scrollable=True) as cursor:
            cursor.execute('SELECT id FROM customers ORDER BY id')
            cursor.scroll(500)
            show('forward', cursor.fetchmany(2))
            cursor.scroll(-100)
            show('back', cursor.fetchone())
            cursor.scroll(2, mode='absolute')
            show('absolute', cursor.fetchone())
        with db.cursor(name='held', withhold=True) as cursor:
            cursor.execute('SELECT id FROM customers ORDER BY id LIMIT 5')
            show('held', cursor.fetchall())
    if hasattr(db.cursor(), 'stream'):
        show('stream', sum(row[0] for row in db.cursor().stream('SELECT id FROM customers WHERE id < %s', (200,))))
    show('dict', db.cursor(row_factory=dict_row).execute('SELECT 1 AS a, 2 AS b').fetchone())


def limits(db, url):
    timer = threading.Timer(0.4, db.cancel)
    timer.start()
    fails('cancelled', lambda: db.execute('SELECT pg_sleep(20)'))
    timer.join()
    # PostgreSQL signals twice for one cancel; the second may come late on a busy machine.
    time.sleep(0.3)
    db.execute("SET statement_timeout = '200ms'")
    fails('its own', lambda: db.execute('SELECT pg_sleep(%s)', (20,)))
    db.execute('RESET statement_timeout')
    holder = psycopg.connect(url)
    holder.execute('UPDATE customers SET score = score WHERE id = 5')
    db.execute("SET lock_timeout = '100ms'")
    fails('locked', lambda: db.execute('UPDATE customers SET score = score WHERE id = 5'))
    holder.rollback()
    holder.close()
    db.execute('RESET ALL')
    show('after', db.execute('SELECT 1').fetchone())


def notifications(db, url):
    db.execute('LISTEN news')
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_notify('news', 'one')")
        other.execute("NOTIFY news, 'two'")
    heard = []
    db.add_notify_handler(lambda one: heard.append((one.channel, one.payload)))
    until = time.monotonic() + 10
    while len(heard) < 2 and time.monotonic() < until:
        db.execute('SELECT 1')
    show('heard', heard)
    notices = []
    db.add_notice_handler(lambda diag: notices.append((diag.sqlstate, diag.message_primary)))
    db.execute('ROLLBACK')
    db.execute('DROP TABLE IF EXISTS pg_temp.nothing')
    show('notices', notices)
    db.execute('UNLISTEN *')


def errors(db):
    fails('column', lambda: db.execute('SELECT naem FROM customers'))
    fails('unique', lambda: db.execute("INSERT INTO customers (id, name) VALUES (%s, 'x')", (1,)))
    fails('foreign', lambda: db.execute('INSERT INTO orders (customer_id) VALUES (0)'))
    fails('text', lambda: db.execute('SELECT %s::int', ('x',)))
    fails('ambiguous', lambda: db.execute('SELECT id FROM customers, orders'))
    fails('result', lambda: db.execute('SELECT 1 / %s', (0,)))


def same(url):
    db = psycopg.connect(url, autocommit=True, application_name='job=psycopg;run=1')
    show('info', (db.info.server_version, db.info.encoding, db.info.parameter_status('TimeZone')))
    for part in (types, statements, transactions, copies, pipelines, cursors, errors):
        print('#', part.__name__)
        part(db)
    limits(db, url)
    notifications(db, url)
    db.close()


def guard(url, masked):
    db = psycopg.connect(url, autocommit=True)
    refused = psycopg.errors.InsufficientPrivilege

    def must_fail(act):
        try:
            act()
        except refused as error:
            assert error.sqlstate == '42501', error.sqlstate
            assert error.diag.message_primary.startswith('No role of this identity allows'), str(error)
            assert json.loads(error.diag.message_detail)['sluice']['verdict'] == 'not_allowed'
            assert error.diag.message_hint
        else:
            raise AssertionError('was let through')

    def copy_in():
        with db.cursor().copy('COPY orders (id, customer_id) FROM STDIN') as copy:
            copy.write('1\t2\n')

    def in_a_pipeline():
        with db.pipeline():
            db.execute('SELECT 1')
            db.execute('DELETE FROM orders WHERE id = 1')
            db.execute('SELECT 2')

    for act in (
        lambda: db.execute('DELETE FROM orders WHERE id = 1'),
        lambda: db.execute('DELETE FROM orders WHERE id = %s', (1,), prepare=True),
        lambda: db.cursor().executemany('UPDATE orders SET total = %s WHERE id = %s', [(1, 1), (2, 2)]),
        lambda: psycopg.ClientCursor(db).execute('DROP TABLE orders'),
        copy_in,
        in_a_pipeline,
    ):
        must_fail(act)
        assert db.execute('SELECT 1').fetchone() == (1,)
    with db.transaction(force_rollback=True):
        db.execute('SELECT 1')
        try:
            with db.transaction():
                must_fail(lambda: db.execute('DELETE FROM orders WHERE id = 1'))
                assert db.info.transaction_status.name == 'INERROR'
                raise psycopg.Rollback
        finally:
            assert db.execute('SELECT count(*) FROM orders WHERE id = 1').fetchone() == (1,)
    db.close()

    db = psycopg.connect(masked, autocommit=True)
    for binary in (False, True):
        cursor = db.cursor(binary=binary)
        row = cursor.execute('SELECT id, name, email FROM customers WHERE id = %s', (7,)).fetchone()
        assert row == (7, 'Name 7', '****'), row
        with db.transaction(), db.cursor(name='walk', binary=binary) as cursor:
            cursor.execute('SELECT email, id FROM customers')
            assert {row[0] for row in cursor} == {'****'}
    with db.pipeline():
        rows = [db.execute('SELECT email FROM customers WHERE id = %s', (n,)) for n in range(1, 50)]
        assert {cursor.fetchone()[0] for cursor in rows} == {'****'}
    with db.cursor().copy('COPY customers (id, email) TO STDOUT') as copy:
        assert {row[1] for row in copy.rows()} == {'****'}
    with db.cursor().copy('COPY customers (id, email) TO STDOUT (FORMAT binary)') as copy:
        copy.set_types(['int4', 'text'])
        assert {row[1] for row in copy.rows()} == {'****'}
    with db.cursor().copy('COPY (SELECT id, upper(email), born FROM customers ORDER BY id LIMIT 2) TO STDOUT (FORMAT binary)') as copy:
        copy.set_types(['int4', 'text', 'date'])
        assert list(copy.rows()) == [(1, '****', datetime.date(1980, 1, 2)), (2, '****', datetime.date(1980, 1, 3))]
    for text in ('SELECT id FROM customers ORDER BY email', "SELECT 1 FROM customers WHERE email = 'c7@example.com'",
                 "COPY customers (email) TO STDOUT (ENCODING 'latin1')"):
        try:
            db.execute(text)
        except refused as error:
            assert '@' not in str(error), error
        else:
            raise AssertionError(text)
    db.close()
    print('fine')


{'same': same, 'guard': guard}[sys.argv[1]](*sys.argv[2:])
