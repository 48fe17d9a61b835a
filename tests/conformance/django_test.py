"""Django through the gateway: introspection, its ORM's reading with select_related and prefetch_related, cursors on the server, savepoints.

What a direct connection gives is what the gateway gives, with masks. Writing is under a writer's policy."""

import io

import django
import pytest
from django.conf import settings
from django.db import DataError, DatabaseError, IntegrityError, connections, models, transaction
from django.db.models import Avg, Case, Count, Exists, F, Max, OuterRef, Q, Subquery, Sum, Value, When, Window
from django.db.models.functions import Concat, RowNumber, TruncMonth, Upper

from harness import shop
from harness.cluster import SUPERUSER, SUPERUSER_PASSWORD

pytestmark = pytest.mark.gateway_only

settings.configure(DATABASES={"default": {}}, INSTALLED_APPS=[], USE_TZ=True, TIME_ZONE="Europe/Berlin",
                   DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()


class Customer(models.Model):
    name = models.TextField()
    email = models.TextField(null=True)
    ssn = models.TextField(null=True)
    born = models.DateField(null=True)

    class Meta:
        app_label, db_table, managed = "shop", "customers", False


class Order(models.Model):
    id = models.BigIntegerField(primary_key=True)
    customer = models.ForeignKey(Customer, models.DO_NOTHING, related_name="orders")
    placed = models.DateField()
    note = models.TextField()

    class Meta:
        app_label, db_table, managed = "shop", "orders", False


class Payment(models.Model):
    customer = models.OneToOneField(Customer, models.DO_NOTHING, related_name="payment")
    card = models.TextField()
    paid = models.DateTimeField()

    class Meta:
        app_label, db_table, managed = "shop", "payments", False


class Product(models.Model):
    label = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        app_label, db_table, managed = "shop", "products", False


@pytest.fixture(scope="module")
def gateway(serve, target):
    return shop.start(serve, target)


@pytest.fixture(scope="module", autouse=True)
def databases(gateway, target):
    """The roads, each a database of Django's by its name."""
    for alias, user, password, port in (("direct", SUPERUSER, SUPERUSER_PASSWORD, target.port),
                                        ("through", "reader", gateway.users["reader"].password, gateway.port),
                                        ("writing", "writer", gateway.users["writer"].password, gateway.port)):
        connections.databases[alias] = {"ENGINE": "django.db.backends.postgresql", "NAME": shop.DATABASE, "USER": user,
                                        "PASSWORD": password, "HOST": "127.0.0.1", "PORT": port}
    yield
    for alias in ("direct", "through", "writing"):
        connections[alias].close()


def plain(value, change=lambda text: text):
    if isinstance(value, dict):
        return {key: plain(one, change) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def same(ask):
    """What ask(alias) gives on both roads, equal but for masks."""
    direct, through = plain(ask("direct"), shop.masked), plain(ask("through"))
    assert through == direct
    return through


def test_inspectdb(gateway):
    from django.core.management.commands import inspectdb

    def told(alias):
        out = io.StringIO()
        inspectdb.Command(stdout=out).execute(database=alias, table=[], include_partitions=True, include_views=True, no_color=True,
                                              force_color=False, skip_checks=True)
        return out.getvalue()

    assert all(f"db_table = '{name}'" in same(told) for name in ("customers", "orders_2023", "contacts", "monthly"))


@pytest.mark.parametrize("method", ["get_table_description", "get_sequences", "get_key_columns", "get_relations", "get_constraints",
                                    "get_primary_key_column"])
def test_introspection(method):
    def ask(alias):
        with connections[alias].cursor() as cursor:
            return [repr(getattr(connections[alias].introspection, method)(cursor, table))
                    for table in ("customers", "orders", "order_lines", "payments", "products")]

    assert len(same(ask)) == 5


QUESTIONS = {
    "all": lambda db: list(Customer.objects.using(db).order_by("id").values_list()),
    "objects": lambda db: [(one.pk, one.name, one.ssn) for one in Customer.objects.using(db).order_by("pk")],
    "select related": lambda db: [(one.card, one.customer.name, one.customer.ssn)
                                  for one in Payment.objects.using(db).select_related("customer").order_by("id")],
    "prefetch related": lambda db: [(one.name, [order.note for order in one.orders.all()])
                                    for one in Customer.objects.using(db).order_by("id").prefetch_related("orders")],
    "count": lambda db: Customer.objects.using(db).count(),
    "count of a slice": lambda db: Customer.objects.using(db).order_by("id")[:2].count(),
    "count of distinct": lambda db: Customer.objects.using(db).distinct().count(),
    "exists": lambda db: Customer.objects.using(db).filter(name="Ada").exists(),
    "first and last": lambda db: [Order.objects.using(db).order_by("id").first().note, Order.objects.using(db).order_by("id").last().note],
    "annotate": lambda db: list(Order.objects.using(db).values("customer__name").annotate(n=Count("id")).order_by("customer__name")),
    "annotated objects": lambda db: [(one.card, one.customer.ssn, one.n) for one in Payment.objects.using(db).select_related("customer")
                                     .annotate(n=Count("customer__name")).order_by("id")],
    "aggregate": lambda db: Product.objects.using(db).aggregate(Sum("price"), Avg("price"), Max("label")),
    "group by": lambda db: list(Order.objects.using(db).annotate(month=TruncMonth("placed")).values("month").annotate(n=Count("id"))
                             .order_by("month")),
    "window": lambda db: list(Order.objects.using(db).annotate(n=Window(RowNumber(), partition_by=[F("customer")], order_by=F("id").asc()))
                              .order_by("id").values_list("id", "n")),
    "subquery": lambda db: list(Customer.objects.using(db).annotate(
        last=Subquery(Order.objects.filter(customer=OuterRef("pk")).order_by("-id").values("note")[:1])).order_by("id")
                             .values_list("name", "last")),
    "exists in a subquery": lambda db: list(Customer.objects.using(db).filter(Exists(Order.objects.filter(customer=OuterRef("pk"))))
                                         .order_by("id").values_list("name", flat=True)),
    "case and functions": lambda db: list(Product.objects.using(db).order_by("id").values_list(
        Upper("label"), Concat("label", Value("!")), Case(When(price__gt=50, then=Value("dear")), default=Value("cheap")))),
    "conditions": lambda db: list(Product.objects.using(db).filter(Q(label__icontains="a") | ~Q(price__lt=5), label__iregex="^[a-z]")
                                  .exclude(label__startswith="T").order_by("id").values_list("label", flat=True)),
    "in bulk": lambda db: sorted((key, one.label) for key, one in Product.objects.using(db).in_bulk([1, 2]).items()),
    "union": lambda db: list(Product.objects.using(db).values_list("label").union(Order.objects.using(db).values_list("note"))
                          .order_by("label")),
    "dates": lambda db: [str(day) for day in Order.objects.using(db).dates("placed", "year")],
    "only and defer": lambda db: [(one.name, one.born) for one in Customer.objects.using(db).only("name").order_by("id")],
    "raw": lambda db: [(one.pk, one.ssn) for one in Customer.objects.using(db).raw("select id, ssn, name from customers order by id")],
    "a cursor on the server": lambda db: [(one.id, one.customer_id)
                                          for one in Order.objects.using(db).order_by("id").iterator(chunk_size=7)],
    "explain": lambda db: Product.objects.using(db).filter(pk=1).explain(costs=False),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question(question):
    assert same(QUESTIONS[question]) is not None


def test_savepoints_while_reading():
    with transaction.atomic("through"):
        assert Product.objects.using("through").get(pk=1).label == "Lamp"
        with pytest.raises(DataError), transaction.atomic("through"), connections["through"].cursor() as cursor:
            cursor.execute("select 1/0")
        assert Product.objects.using("through").get(pk=2).label == 'Chair "soft"'


def test_a_reader_is_refused_to_write_and_goes_on():
    with transaction.atomic("through"):
        with pytest.raises(DatabaseError, match="blocked by policy"), transaction.atomic("through"):
            Product(label="Mirror", price=3).save(using="through")
        assert Product.objects.using("through").count() == 3


def test_a_writer_saves_updates_and_deletes():
    with pytest.raises(ZeroDivisionError), transaction.atomic("writing"):
        one = Product.objects.using("writing").create(label="Mirror", price=12)
        assert one.pk > 3
        one.price = F("price") + 1
        one.save()
        one.refresh_from_db()
        assert one.price == 13
        Product.objects.using("writing").bulk_create([Product(label=f"n{i}", price=1) for i in range(100)], batch_size=40)
        assert Product.objects.using("writing").filter(label__startswith="n").update(price=2) == 100
        with pytest.raises(IntegrityError), transaction.atomic("writing"):
            Product(pk=1, label="twice", price=1).save(using="writing", force_insert=True)
        got, made = Product.objects.using("writing").get_or_create(label="Lamp", defaults={"price": 1})
        assert (got.pk, made) == (1, False)
        assert Product.objects.using("writing").select_for_update().get(pk=1).label == "Lamp"
        assert Product.objects.using("writing").filter(label__startswith="n").delete()[0] == 100
        raise ZeroDivisionError
    assert Product.objects.using("writing").count() == 3
