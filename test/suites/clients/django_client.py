"""Django's own database layer, run by clients.test.ts: `same URL` prints what it saw, `guard URL MASKED` refusals and masks."""
import json
import sys
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings


def database(url):
    parts = urlsplit(url)
    return {
        'ENGINE': 'django.db.backends.postgresql', 'NAME': unquote(parts.path[1:]), 'USER': parts.username,
        'PASSWORD': parts.password, 'HOST': parts.hostname, 'PORT': parts.port,
    }


databases = {'default': database(sys.argv[2])}
if len(sys.argv) > 3:
    databases['masked'] = database(sys.argv[3])
settings.configure(DATABASES=databases, INSTALLED_APPS=[], USE_TZ=True, DEFAULT_AUTO_FIELD='django.db.models.AutoField')
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, connections, models, transaction  # noqa: E402
from django.db.models import Count, Q, Sum  # noqa: E402


class Customer(models.Model):
    id = models.IntegerField(primary_key=True)
    name = models.TextField()
    email = models.TextField(null=True)
    born = models.DateField(null=True)
    score = models.DecimalField(max_digits=40, decimal_places=20, null=True)

    class Meta:
        app_label, db_table, managed = 'shop', 'customers', False


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.DO_NOTHING)
    total = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    made = models.DateTimeField(auto_now_add=True)
    note = models.JSONField(null=True)

    class Meta:
        app_label, db_table, managed = 'shop', 'orders', False


def sqlstate(error):
    return getattr(error, 'pgcode', None) or error.sqlstate


def show(what, value):
    print(what, repr(value), flush=True)


def same(_):
    call_command('inspectdb')
    call_command('inspectdb', include_views=True, include_partitions=True)
    look = connection.introspection
    with connection.cursor() as cursor:
        show('tables', [(one.name, one.type) for one in look.get_table_list(cursor)])
        for table in ('customers', 'orders'):
            show('sequences', look.get_sequences(cursor, table))
            show('constraints', look.get_constraints(cursor, table))
            show('relations', look.get_relations(cursor, table))
            show('description', look.get_table_description(cursor, table))
        cursor.execute('SELECT %s, %s::int[]', ['a%b', [1, None]])
        show('raw', cursor.fetchall())
    show('filter', list(Customer.objects.filter(Q(id__lt=5) | Q(name__icontains='name 77')).order_by('id').values_list('id', 'name')))
    show('annotate', list(Order.objects.filter(customer_id__lt=4).values('customer').annotate(n=Count('id'), s=Sum('total')).order_by('customer')))
    show('json', list(Order.objects.filter(note__n__lt=4).order_by('id').values_list('note', flat=True)))
    show('prefetch', [one.customer.name for one in Order.objects.prefetch_related('customer').filter(id__lt=4).order_by('id')])
    show('related', [one.customer.name for one in Order.objects.select_related('customer').filter(customer__name__in=['Name 3', 'Name 4']).order_by('id')])
    show('iterator', sum(one.id for one in Customer.objects.iterator(chunk_size=50)))
    show('exists', Customer.objects.filter(email='c7@example.com').exists())
    show('explain', 'Seq Scan' in Customer.objects.filter(name='x').explain())
    with transaction.atomic():
        Customer.objects.bulk_create([Customer(id=7200 + n, name='bulk') for n in range(500)])
        show('created', Customer.objects.filter(id__gte=7200).count())
        try:
            with transaction.atomic():
                Customer.objects.create(id=7200, name='twice')
        except IntegrityError as error:
            show('twice', str(error).split('\n'))
        Customer.objects.filter(id__in=[7200, 7201]).update(name='renamed')
        show('locked', Customer.objects.select_for_update().get(id=7201).name)
        show('saved', Order(customer_id=7201, total=3, note={'a': None}).save())
        show('updated', Customer.objects.update_or_create(id=7202, defaults={'name': 'again'})[1])
        transaction.set_rollback(True)
    show('gone', Customer.objects.filter(id__gte=7200).count())
    connection.close()
    show('usable', connection.is_usable() if connection.connection else connection.ensure_connection())


def guard(*_):
    for act in (
        lambda: Order.objects.filter(id=1).delete(),
        lambda: Customer.objects.create(id=9999, name='x'),
        lambda: Customer.objects.filter(id=1).update(name='x'),
        lambda: connection.cursor().execute('DROP TABLE orders'),
    ):
        try:
            with transaction.atomic():
                act()
            raise AssertionError('was let through')
        except ProgrammingError as error:
            cause = error.__cause__
            assert sqlstate(cause) == '42501', cause
            assert str(error).startswith('No role of this identity allows'), str(error)
            assert json.loads(cause.diag.message_detail)['sluice']['verdict'] == 'not_allowed'
        assert Order.objects.filter(id=1).count() == 1
    one = Customer.objects.using('masked').get(id=7)
    assert (one.name, one.email) == ('Name 7', '****'), one.email
    assert set(Customer.objects.using('masked').values_list('email', flat=True)) == {'****'}
    try:
        Customer.objects.using('masked').filter(email='c7@example.com').exists()
        raise AssertionError('a condition on a masked column was let through')
    except DatabaseError as error:
        assert sqlstate(error.__cause__) == '42501', error
    for each in connections.all():
        each.close()
    print('fine')


{'same': same, 'guard': guard}[sys.argv[1]](*sys.argv[2:])
