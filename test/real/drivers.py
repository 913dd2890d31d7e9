"""What people do with psycopg2, each step checked; run by drivers.test.ts with two connection strings."""
import io
import sys

import psycopg2
import psycopg2.extensions
import psycopg2.extras

writer, reader = sys.argv[1:3]


def raises(code, act):
    try:
        act()
    except psycopg2.Error as error:
        assert error.pgcode == code, (error.pgcode, str(error))
        return error
    raise AssertionError('no error where %s was due' % code)


db = psycopg2.connect(writer)
cursor = db.cursor()

# Types there and back.
cursor.execute(
    'SELECT %s, %s, %s::date, %s::numeric, %s, %s::bytea, %s',
    (7, 'it''s', '2024-02-29', '12.50', [1, 2, None], b'\x00\xff', None),
)
row = cursor.fetchone()
assert row[0] == 7 and row[2].day == 29 and str(row[3]) == '12.50', row
assert row[4] == [1, 2, None] and bytes(row[5]) == b'\x00\xff' and row[6] is None, row

# A transaction opened by the driver: rolled back, then committed.
cursor.execute("INSERT INTO customers (id, name) VALUES (9001, 'Tmp') RETURNING id")
assert cursor.fetchone() == (9001,)
db.rollback()
cursor.execute('SELECT count(*) FROM customers WHERE id = 9001')
assert cursor.fetchone() == (0,)
cursor.execute("INSERT INTO customers (id, name) VALUES (9001, 'Tmp')")
assert cursor.rowcount == 1
db.commit()
cursor.execute('DELETE FROM customers WHERE id = 9001')
db.commit()

# Errors keep their fields, and a failed transaction is one.
error = raises('23505', lambda: cursor.execute("INSERT INTO customers (id, name) VALUES (1, 'x')"))
assert error.diag.constraint_name == 'customers_pkey' and error.diag.table_name == 'customers'
assert isinstance(error, psycopg2.errors.UniqueViolation)
raises('25P02', lambda: cursor.execute('SELECT 1'))
db.rollback()
error = raises('42703', lambda: cursor.execute('SELECT nothing FROM customers'))
assert error.diag.statement_position == '8'
db.rollback()

# A refusal in a transaction leaves client and target agreeing.
cursor.execute('SELECT 1')
error = raises('42501', lambda: cursor.execute('DROP TABLE orders'))
assert '"verdict":"not_allowed"' in error.diag.message_detail, error.diag.message_detail
assert db.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_INERROR
raises('25P02', lambda: cursor.execute('SELECT 1'))
db.rollback()
assert db.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_IDLE

# A cursor on the server.
named = db.cursor('walk')
named.itersize = 70
named.execute('SELECT id FROM customers ORDER BY id')
assert [one[0] for one in named] == list(range(1, 1001))
named.close()
named = db.cursor('scroll', scrollable=True)
named.execute('SELECT id FROM customers ORDER BY id')
named.scroll(500)
assert named.fetchone() == (501,)
named.close()
db.commit()

# COPY both ways.
cursor.execute('CREATE TEMP TABLE copied (a int, b text)')
cursor.copy_expert('COPY copied FROM STDIN (FORMAT csv)', io.StringIO('1,"x, y"\n2,\n'))
assert cursor.rowcount == 2
out = io.StringIO()
cursor.copy_expert('COPY copied TO STDOUT', out)
assert out.getvalue() == '1\tx, y\n2\t\\N\n', out.getvalue()
raises('22P02', lambda: cursor.copy_expert('COPY copied FROM STDIN', io.StringIO('x\ty\n')))
db.rollback()


class Broken(io.StringIO):
    def read(self, *_):
        raise ValueError('the file broke')


try:
    cursor.copy_expert('COPY inbox FROM STDIN', Broken())
except psycopg2.Error:
    pass
db.rollback()

# Many at once, adaptation of rows, dictionaries.
psycopg2.extras.execute_values(
    cursor,
    'INSERT INTO orders (customer_id, total) VALUES %s',
    [(1, n) for n in range(500)],
)
db.rollback()
by_name = db.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
by_name.execute('SELECT id, name FROM customers WHERE id = %(id)s', {'id': 5})
assert by_name.fetchone() == {'id': 5, 'name': 'Name 5'}
db.rollback()

# Autocommit, isolation, notices, notifications, settings.
db.autocommit = True
db.set_session(isolation_level='SERIALIZABLE', readonly=True)
cursor.execute('SHOW transaction_isolation')
assert cursor.fetchone() == ('serializable',)
raises('25006', lambda: cursor.execute('UPDATE customers SET score = 1 WHERE id = 1'))
db.set_session(isolation_level='DEFAULT', readonly='DEFAULT')
# Gateway and target must read the same bytes.
raises('42501', lambda: db.set_client_encoding('LATIN1'))
db.set_client_encoding('UTF8')
cursor.execute('LISTEN news')
cursor.execute("NOTIFY news, 'hello'")
db.poll()
assert [one.payload for one in db.notifies] == ['hello']
db.close()

# Who may only read.
db = psycopg2.connect(reader, application_name='job=py-7;run=2')
cursor = db.cursor()
raises('42501', lambda: cursor.execute("INSERT INTO customers (id, name) VALUES (9002, 'x')"))
db.rollback()
cursor.execute('SELECT name FROM customers WHERE id = 3')
assert cursor.fetchone() == ('Name 3',)
db.cancel()
db.close()
raises_login = None
try:
    psycopg2.connect(reader.replace('slc_', 'slc_x'))
except psycopg2.OperationalError as wrong:
    raises_login = str(wrong)
assert 'The credential is not valid.' in raises_login, raises_login
print('fine')
