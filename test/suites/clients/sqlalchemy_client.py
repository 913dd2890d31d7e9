"""SQLAlchemy over psycopg2, run by clients.test.ts: `same URL` prints what it saw, `guard URL MASKED` refusals and masks."""
import datetime
import decimal
import json
import sys
import warnings

import sqlalchemy as sa
from sqlalchemy import event, exc, func, inspect, select, text
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload, joinedload

warnings.simplefilter('ignore')
Base = declarative_base()


class Customer(Base):
    __tablename__ = 'customers'
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    name = sa.Column(sa.Text, nullable=False)
    email = sa.Column(sa.Text)
    born = sa.Column(sa.Date)
    score = sa.Column(sa.Numeric)
    tags = sa.Column(pg.ARRAY(sa.Text))
    orders = relationship('Order', back_populates='customer', order_by='Order.id')


class Order(Base):
    __tablename__ = 'orders'
    id = sa.Column(sa.BigInteger, primary_key=True)
    customer_id = sa.Column(sa.Integer, sa.ForeignKey('customers.id'), nullable=False)
    total = sa.Column(sa.Numeric(10, 2))
    made = sa.Column(sa.DateTime(timezone=True), server_default=func.now())
    note = sa.Column(pg.JSONB)
    customer = relationship('Customer', back_populates='orders')


def show(what, value):
    print(what, repr(value), flush=True)


def fails(what, act):
    try:
        act()
    except exc.DBAPIError as error:
        show(what, (type(error).__name__, error.orig.pgcode, error.orig.diag.message_primary, error.orig.diag.constraint_name))
        return error
    raise AssertionError('no error: ' + what)


def engine_of(url, **more):
    return sa.create_engine(url.replace('postgres://', 'postgresql+psycopg2://'), future=True, **more)


def reflection(engine):
    look = inspect(engine)
    show('schemas', look.get_schema_names())
    show('default', look.default_schema_name)
    show('tables', sorted(look.get_table_names()))
    show('views', look.get_view_names())
    show('definition', look.get_view_definition('order_totals'))
    show('enums', look.get_enums())
    show('sequences', look.get_sequence_names())
    show('temporary', look.get_temp_table_names() if hasattr(look, 'get_temp_table_names') and sa.__version__ >= '2' else None)
    for table in ('customers', 'orders', 'order_totals'):
        show('columns', [{**column, 'type': repr(column['type'])} for column in look.get_columns(table)])
        show('key', look.get_pk_constraint(table))
        show('foreign', look.get_foreign_keys(table))
        show('indexes', look.get_indexes(table))
        show('unique', look.get_unique_constraints(table))
        show('checks', look.get_check_constraints(table))
        if table != 'order_totals':
            show('comment', look.get_table_comment(table))
    show('has', (look.has_table('customers'), look.has_table('nowhere')))
    metadata = sa.MetaData()
    metadata.reflect(engine, views=True)
    show('reflected', sorted((name, [str(column) for column in table.columns]) for name, table in metadata.tables.items()))
    catalogue = sa.Table('pg_class', sa.MetaData(), schema='pg_catalog', autoload_with=engine)
    show('catalogue', len(catalogue.columns))


def statements(engine):
    with engine.connect() as db:
        show('version', engine.dialect.server_version_info)
        show('bound', db.execute(text('SELECT :a + 1, :b'), {'a': 1, 'b': 'x:y'}).fetchone())
        values = {'n': decimal.Decimal('12.50'), 'd': datetime.date(2024, 2, 29), 'j': json.dumps({'a': None}), 'l': [1, 2]}
        show('types', db.execute(text('SELECT :n, :d, CAST(:j AS jsonb), :l, now() IS NULL'), values).fetchone())
        show('join', db.execute(select(Customer.name, func.count(Order.id)).join(Order).where(Customer.id.in_([1, 2, 3])).group_by(Customer.name).order_by(Customer.name)).all())
        show('json', db.execute(select(Order.note['n'].as_integer()).where(Order.id < 4).order_by(Order.id)).all())
        show('array', db.execute(select(Customer.id).where(Customer.tags.contains(['a7']))).all())
        show('window', db.execute(select(Customer.id, func.row_number().over(order_by=Customer.born.desc())).limit(3)).all())
        recursive = select(sa.literal(1).label('n')).cte('numbers', recursive=True)
        recursive = recursive.union_all(select(recursive.c.n + 1).where(recursive.c.n < 5))
        show('recursive', db.execute(select(func.sum(recursive.c.n))).scalar())
        db.execute(text("INSERT INTO customers (id, name) VALUES (7001, 'x')"))
        upsert = insert(Customer).values(id=7001, name='y').on_conflict_do_update(index_elements=['id'], set_={'name': 'z'}).returning(Customer.name)
        show('upsert', db.execute(upsert).scalar())
        show('update', db.execute(sa.update(Customer).where(Customer.id == 7001).values(name=Customer.name + '!').returning(Customer.name)).all())
        many = [{'id': 7100 + n, 'name': f'Many {n}'} for n in range(1500)]
        db.execute(insert(Customer), many)
        show('many', db.execute(select(func.count()).where(Customer.id >= 7100)).scalar())
        show('delete', db.execute(sa.delete(Customer).where(Customer.id == 7001)).rowcount)
        db.rollback()
        stream = db.execution_options(stream_results=True, yield_per=100).execute(select(Customer.id).order_by(Customer.id))
        show('stream', [len(part) for part in stream.partitions()])


def transactions(engine):
    with engine.connect() as db:
        with db.begin():
            db.execute(text("INSERT INTO customers (id, name) VALUES (7002, 'x')"))
            nested = db.begin_nested()
            fails('unique', lambda: db.execute(text("INSERT INTO customers (id, name) VALUES (7002, 'x')")))
            nested.rollback()
            show('after', db.execute(text('SELECT count(*) FROM customers WHERE id = 7002')).scalar())
            db.execute(text('DELETE FROM customers WHERE id = 7002'))
        with db.begin():
            fails('syntax', lambda: db.execute(text('SELECT FROM WHERE')))
            fails('aborted', lambda: db.execute(text('SELECT 1')))
            db.rollback()
    for level in ('SERIALIZABLE', 'REPEATABLE READ', 'AUTOCOMMIT'):
        with engine.connect().execution_options(isolation_level=level) as db:
            show('isolation', (db.execute(text('SHOW transaction_isolation')).scalar(), db.get_isolation_level()))
    options = {'postgresql_readonly': True, 'isolation_level': 'SERIALIZABLE'}
    with engine.connect().execution_options(**options) as db:
        fails('read only', lambda: db.execute(text('UPDATE customers SET score = 1 WHERE id = 1')))
    show('pool', engine.pool.status())


def orm(engine):
    with Session(engine) as session:
        made = Customer(id=7003, name='Made', tags=['x'], orders=[Order(total=1, note={'k': [1]}), Order(total=2)])
        session.add(made)
        session.flush()
        show('identities', len({order.id for order in made.orders}))
        session.expire_all()
        show('loaded', (made.name, made.tags, [(str(order.total), order.note) for order in made.orders]))
        with session.begin_nested():
            made.name = 'Inner'
        session.refresh(made, with_for_update=True)
        show('locked', made.name)
        rows = session.execute(select(Customer).options(selectinload(Customer.orders)).where(Customer.id < 4).order_by(Customer.id)).scalars()
        show('selectin', [(one.id, len(one.orders)) for one in rows])
        rows = session.execute(select(Order).options(joinedload(Order.customer)).where(Order.id < 4).order_by(Order.id)).scalars()
        show('joined', [(one.id, one.customer.name) for one in rows])
        session.rollback()
    with Session(engine) as session:
        show('gone', session.get(Customer, 7003))


def same(url):
    engine = engine_of(url, pool_pre_ping=True)
    for part in (reflection, statements, transactions, orm):
        print('#', part.__name__)
        part(engine)
    engine.dispose()
    batched = engine_of(url, **({'executemany_mode': 'values_plus_batch'}))
    with batched.connect() as db:
        db.execute(insert(Customer), [{'id': 8000 + n, 'name': 'b'} for n in range(3000)])
        show('batched', db.execute(select(func.count()).where(Customer.id >= 8000)).scalar())
        db.rollback()
    batched.dispose()


def guard(url, masked):
    engine = engine_of(url)
    with engine.connect() as db:
        for statement in (sa.delete(Order).where(Order.id == 1), insert(Customer).values(id=1, name='x'), text('DROP TABLE orders')):
            try:
                db.execute(statement)
            except exc.ProgrammingError as error:
                assert error.orig.pgcode == '42501' and type(error.orig).__name__ == 'InsufficientPrivilege'
                assert 'No role of this identity allows' in str(error), str(error)
                assert json.loads(error.orig.diag.message_detail)['sluice']['verdict'] == 'not_allowed'
            else:
                raise AssertionError(str(statement))
            try:
                db.execute(text('SELECT 1'))
                raise AssertionError('the transaction goes on')
            except exc.DBAPIError as error:
                assert error.orig.pgcode == '25P02'
            db.rollback()
            assert db.execute(text('SELECT 1')).scalar() == 1
            db.rollback()
        with Session(engine) as session:
            session.add(Customer(id=9999, name='x'))
            try:
                session.flush()
                raise AssertionError('was let through')
            except exc.ProgrammingError as error:
                assert error.orig.pgcode == '42501'
    engine.dispose()

    engine = engine_of(masked)
    with Session(engine) as session:
        # Loads every column of the table.
        one = session.get(Customer, 7)
        assert (one.id, one.name, one.email) == (7, 'Name 7', '****'), one.email
        emails = session.execute(select(Customer.email).where(Customer.id < 100)).scalars().all()
        assert set(emails) == {'****'} and len(emails) == 99
        # What is made of it is masked as it is.
        uppers = session.execute(select(func.upper(Customer.email)).where(Customer.id < 100)).scalars().all()
        assert set(uppers) == {'****'}, uppers
        for statement in (select(Customer.id).where(Customer.email == 'c7@example.com'),
                          select(Customer).order_by(Customer.email)):
            try:
                session.execute(statement).all()
                raise AssertionError(str(statement))
            except exc.ProgrammingError as error:
                assert error.orig.pgcode == '42501' and 'c7@' not in str(error.orig), str(error)
            session.rollback()
    # Introspection is as it is without masks.
    assert [column['name'] for column in inspect(engine).get_columns('customers')][2] == 'email'
    engine.dispose()
    print('fine')


{'same': same, 'guard': guard}[sys.argv[1]](*sys.argv[2:])
