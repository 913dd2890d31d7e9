"""Reads a row of masked values with psycopg2, as its own types; run by every-type.test.ts with a connection string."""
import json
import sys

import psycopg2
import psycopg2.extras

db = psycopg2.connect(sys.argv[1])
psycopg2.extras.register_uuid(conn_or_curs=db)
cursor = db.cursor()
cursor.execute('SELECT * FROM every')
first, nothing, again = cursor.fetchall()
assert all(value is None for value in nothing[1:]), nothing
assert list(map(str, first[1:])) == list(map(str, again[1:])) or any(
    isinstance(value, memoryview) for value in first
)
print(json.dumps([None if value is None else repr(value) for value in first[1:]]))
