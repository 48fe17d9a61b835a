"""SQLAlchemy over psycopg2 and asyncpg: reflection of everything, the ORM's loading, cursors, savepoints, under a policy for reading.

What a direct connection gives is what the gateway gives, with the masks where masked columns stand. Writing is under a writer's policy."""

import asyncio
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, declarative_base, joinedload, relationship, selectinload, subqueryload

from harness import shop
from harness.cluster import SUPERUSER, SUPERUSER_PASSWORD

pytestmark = [pytest.mark.gateway_only, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")]

Base = declarative_base()


class Customer(Base):
    __tablename__ = "customers"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.Text)
    email = sa.Column(sa.Text)
    ssn = sa.Column(sa.Text)
    orders = relationship("Order", back_populates="customer", order_by="Order.id")
    payment = relationship("Payment", uselist=False)


class Order(Base):
    __tablename__ = "orders"
    id = sa.Column(sa.BigInteger, primary_key=True)
    placed = sa.Column(sa.Date, primary_key=True)
    customer_id = sa.Column(sa.ForeignKey("customers.id"))
    note = sa.Column(sa.Text)
    customer = relationship("Customer", back_populates="orders")


class Payment(Base):
    __tablename__ = "payments"
    id = sa.Column(sa.Integer, primary_key=True)
    customer_id = sa.Column(sa.ForeignKey("customers.id"))
    card = sa.Column(sa.Text)
    paid = sa.Column(sa.DateTime(timezone=True))


class Product(Base):
    __tablename__ = "products"
    id = sa.Column(sa.Integer, primary_key=True)
    label = sa.Column(sa.String(40))
    price = sa.Column(sa.Numeric)


@pytest.fixture(scope="module")
def gateway(serve, target):
    return shop.start(serve, target)


def address(driver, user, password, port):
    return sa.engine.URL.create(f"postgresql+{driver}", user, password, "127.0.0.1", port, shop.DATABASE)


@pytest.fixture(scope="module")
def engines(gateway, target):
    """The direct road's engine and the reader's, over psycopg2."""
    made = [sa.create_engine(address("psycopg2", SUPERUSER, SUPERUSER_PASSWORD, target.port)),
            sa.create_engine(address("psycopg2", "reader", gateway.users["reader"].password, gateway.port))]
    yield made
    for engine in made:
        engine.dispose()


@pytest.fixture(scope="module")
def writing(gateway):
    engine = sa.create_engine(address("psycopg2", "writer", gateway.users["writer"].password, gateway.port))
    yield engine
    engine.dispose()


def plain(value, change=lambda text: text):
    """A row or list of rows as lists, each text changed."""
    if isinstance(value, (list, tuple, sa.engine.Row)):
        return [plain(one, change) for one in value]
    return change(value) if isinstance(value, str) else value


def same(engines, ask):
    """What ask(engine) gives through the gateway: what it gives on the direct road, with the masks over it."""
    direct, through = (ask(engine) for engine in engines)
    assert plain(through) == plain(direct, shop.masked)
    return through


# ---- reflection

TABLE_METHODS = ["get_columns", "get_pk_constraint", "get_foreign_keys", "get_indexes", "get_unique_constraints", "get_check_constraints",
                 "get_table_comment"]


def described(value):
    """A text that is equal where two reflections are equal: types compare by identity."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize("method", ["get_schema_names", "get_table_names", "get_view_names", "get_sequence_names", "get_enums",
                                    "get_foreign_table_names", "get_sorted_table_and_fkc_names"])
@pytest.mark.parametrize("schema", [None, "stock", "Odd Schema", "pg_catalog", "information_schema"])
def test_the_inspector_lists(engines, method, schema):
    given = () if method == "get_schema_names" else (schema,)
    same(engines, lambda engine: described(getattr(sa.inspect(engine), method)(*given)))


@pytest.mark.parametrize("method", TABLE_METHODS)
def test_the_inspector_describes(engines, method):
    def describe(engine):
        inspector, told = sa.inspect(engine), {}
        for schema in (None, "stock", "Odd Schema"):
            for table in inspector.get_table_names(schema) + inspector.get_view_names(schema):
                told[schema, table] = described(getattr(inspector, method)(table, schema=schema))
        return told

    told = same(engines, describe)
    assert len(told) > 20


def test_view_definitions(engines):
    told = same(engines, lambda engine: [sa.inspect(engine).get_view_definition(*where)
                                         for where in (("contacts",), ("dear", "stock"), ("chain",), ("monthly",))])
    assert all(told)


@pytest.mark.parametrize("views", [False, True])
def test_everything_is_reflected(engines, views):
    def reflect(engine):
        metadata = sa.MetaData()
        for schema in (None, "stock", "Odd Schema"):
            metadata.reflect(engine, schema=schema, views=views, resolve_fks=True)
        return [[table.fullname, table.comment, sorted(described(one) for one in table.indexes),
                 [[one.name, described(one.type), one.nullable, one.comment, sorted(key.target_fullname for key in one.foreign_keys),
                   str(getattr(one.server_default, "arg", None))] for one in table.columns]]
                for table in sorted(metadata.tables.values(), key=str)]

    assert len(same(engines, reflect)) > 10


def test_has_table_and_sequence(engines):
    assert same(engines, lambda engine: [sa.inspect(engine).has_table("customers"), sa.inspect(engine).has_table("nowhere"),
                                         sa.inspect(engine).has_table("people", schema="stock"),
                                         sa.inspect(engine).has_sequence("ticket", schema="stock")]) == [True, False, True, True]


# ---- looking at data

LOADERS = {"lazy": None, "joined": joinedload, "in": selectinload, "subquery": subqueryload}


@pytest.mark.parametrize("loader", LOADERS)
def test_relationships_are_loaded(engines, loader):
    def ask(engine):
        with Session(engine) as session:
            choice = sa.select(Customer).order_by(Customer.id)
            if LOADERS[loader]:
                choice = choice.options(LOADERS[loader](Customer.orders), LOADERS[loader](Customer.payment))
            return [(one.id, one.name, one.ssn, [(order.id, order.note) for order in one.orders], one.payment and one.payment.card)
                    for one in session.scalars(choice).unique()]

    told = same(engines, ask)
    assert [one[2] for one in told] == ["[masked]", "[masked]", None] and told[0][4].endswith("*1111") and len(told[0][3]) == 15


def test_an_entity_shows_a_mask_over_a_type_of_an_extension(engines):
    with Session(engines[1]) as session:
        assert session.scalars(sa.select(Customer.email).order_by(Customer.id)).all() == ["[masked]", "[masked]", None]


QUESTIONS = {
    "get": lambda session: session.get(Customer, 1).name,
    "count": lambda session: session.query(Customer).count(),
    "count of a join": lambda session: session.query(Customer).join(Customer.orders).filter(Order.id > 3).count(),
    "exists": lambda session: session.query(session.query(Order).filter(Order.note == "order 3").exists()).scalar(),
    "aggregates": lambda session: session.execute(
        sa.select(Order.customer_id, sa.func.count(), sa.func.max(Order.placed)).group_by(Order.customer_id)
        .order_by(Order.customer_id)).all(),
    "window": lambda session: session.execute(
        sa.select(Order.id, sa.func.row_number().over(partition_by=Order.customer_id, order_by=Order.id)).order_by(Order.id)).all(),
    "cte": lambda session: session.execute(
        sa.select(sa.func.count()).select_from(sa.select(Order).where(Order.id < 5).cte("few"))).scalar(),
    "union": lambda session: session.execute(
        sa.union(sa.select(Product.id, Product.label), sa.select(Order.id, Order.note)).order_by(sa.text("1, 2"))).all(),
    "page": lambda session: [one.id for one in session.query(Order).order_by(Order.id).limit(5).offset(10)],
    "in": lambda session: [one.label for one in session.query(Product).filter(Product.id.in_([1, 3])).order_by(Product.id)],
    "like": lambda session: [one.label for one in session.query(Product).filter(Product.label.ilike("%a%")).order_by(Product.id)],
    "literal": lambda session: session.execute(sa.select(sa.literal("x"), sa.literal(1), sa.null())).one(),
    "now": lambda session: bool(session.execute(sa.select(sa.func.now())).scalar()),
    "text": lambda session: session.execute(sa.text("select name from customers where id = :id"), {"id": 2}).scalar(),
    "values": lambda session: session.execute(sa.select(sa.values(sa.column("a", sa.Integer), name="v").data([(1,), (2,)]))).all(),
    "json": lambda session: session.execute(sa.text("select attributes->>'watts' from products where id = 1")).scalar(),
    "array": lambda session: session.execute(sa.text("select sizes from products order by id")).scalars().all(),
    "a masked column among others": lambda session: session.execute(
        sa.select(Customer.id, Customer.ssn, Customer.name).order_by(Customer.id)).all(),
    "distinct": lambda session: session.query(Order.customer_id).distinct().order_by(Order.customer_id).all(),
    "for a case": lambda session: session.execute(
        sa.select(sa.case((Product.price > 50, "dear"), else_="cheap")).order_by(Product.id)).all(),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question(engines, question):
    def ask(engine):
        with Session(engine) as session:
            return QUESTIONS[question](session)

    assert same(engines, ask) is not None


def test_a_server_side_cursor(engines):
    def ask(engine):
        with engine.connect().execution_options(stream_results=True, max_row_buffer=7) as connection:
            return [tuple(row) for row in connection.execute(sa.text("select o.id, c.name, c.ssn from orders o join customers c "
                                                                     "on c.id = o.customer_id order by o.id"))]

    told = same(engines, ask)
    assert len(told) == 30 and told[0][2] == "[masked]"


@pytest.mark.parametrize("level", ["AUTOCOMMIT", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_isolation_levels(engines, level):
    def ask(engine):
        with engine.connect().execution_options(isolation_level=level) as connection:
            return connection.execute(sa.text("show transaction_isolation")).scalar(), connection.get_isolation_level()

    same(engines, ask)


def test_read_only_and_deferrable_transactions(engines):
    with engines[1].connect().execution_options(isolation_level="SERIALIZABLE", postgresql_readonly=True,
                                                postgresql_deferrable=True) as connection:
        assert connection.execute(sa.text("show transaction_read_only")).scalar() == "on"


def test_savepoints_while_reading(engines):
    with Session(engines[1]) as session:
        with session.begin_nested():
            assert session.get(Product, 1).label == "Lamp"
        with pytest.raises(sa.exc.DataError):
            with session.begin_nested():
                session.execute(sa.text("select 1/0"))
        assert session.get(Product, 2).label == 'Chair "soft"'


def test_a_pool_checks_and_resets_its_connections(gateway):
    engine = sa.create_engine(address("psycopg2", "reader", gateway.users["reader"].password, gateway.port), pool_size=2,
                              pool_pre_ping=True)
    for _ in range(3):
        with engine.connect() as connection:
            assert connection.execute(sa.text("select count(*) from orders")).scalar() == 30
    engine.dispose()


# ---- writing, by somebody who may

def test_a_unit_of_work_with_generated_keys(writing):
    with Session(writing) as session:
        one = Product(label="Mirror", price=12)
        session.add(one)
        session.flush()
        assert one.id > 3
        one.label = "Large mirror"
        session.flush()
        with session.begin_nested() as inner:
            session.add(Product(label="Lost", price=1))
            session.flush()
            inner.rollback()
        assert session.query(Product).filter(Product.label.in_(["Large mirror", "Lost"])).count() == 1
        session.delete(one)
        session.flush()
        session.rollback()


@pytest.mark.parametrize("mode", ["values_only", "batch", "values_plus_batch"])
def test_executemany(gateway, mode):
    engine = sa.create_engine(address("psycopg2", "writer", gateway.users["writer"].password, gateway.port), executemany_mode=mode)
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(sa.insert(Product.__table__), [{"label": f"n{i}", "price": i + 1} for i in range(500)])
        connection.execute(sa.update(Product.__table__).where(Product.label == sa.bindparam("what")).values(price=sa.bindparam("to")),
                           [{"what": f"n{i}", "to": 7} for i in range(50)])
        counted = sa.text("select count(*), count(*) filter (where price = 7) from products where label like 'n%'")
        assert connection.execute(counted).one() == (500, 50)
        transaction.rollback()
    engine.dispose()


def test_an_upsert_with_returning(writing):
    with writing.connect() as connection, connection.begin() as transaction:
        insert = sa.dialects.postgresql.insert(Product.__table__).values(id=1, label="Lamp", price=3)
        choice = insert.on_conflict_do_update(index_elements=["id"], set_={"price": insert.excluded.price})
        assert connection.execute(choice.returning(Product.id, Product.price)).one() == (1, 3)
        transaction.rollback()


# ---- asyncpg

def test_the_orm_over_asyncpg(gateway):
    async def run():
        engine = create_async_engine(address("asyncpg", "reader", gateway.users["reader"].password, gateway.port))
        async with AsyncSession(engine) as session:
            found = (await session.scalars(sa.select(Customer).order_by(Customer.id).options(selectinload(Customer.orders)))).all()
            rows = [(one.name, one.ssn, len(one.orders)) for one in found]
            count = (await session.execute(sa.select(sa.func.count()).select_from(Order))).scalar()
            stream = await session.stream(sa.select(Order.id).order_by(Order.id))
            ids = [row.id async for row in stream]
            async with session.begin_nested():
                await session.execute(sa.text("select 1"))
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
            columns = await connection.run_sync(lambda sync: described(sa.inspect(sync).get_columns("customers")))
        await engine.dispose()
        return rows, count, ids, names, columns

    rows, count, ids, names, columns = asyncio.run(run())
    assert rows == [("Ada", "[masked]", 15), ("Bob", "[masked]", 15), ("Cy", None, 0)]
    assert (count, ids) == (30, list(range(1, 31)))
    assert {"customers", "orders", "products"} <= set(names) and "ssn" in columns


def test_types_of_extensions_over_asyncpg(gateway):
    """asyncpg asks the catalogue, by a query of its own, for each type that it does not know."""
    async def run():
        engine = create_async_engine(address("asyncpg", "reader", gateway.users["reader"].password, gateway.port))
        async with engine.connect() as connection:
            rows = (await connection.execute(sa.text("select feels, tags, lives_at, born from customers order by id"))).all()
            parts = (await connection.execute(sa.text("select price, sizes, code, attributes, picture from products order by id"))).all()
        await engine.dispose()
        return rows, parts

    rows, parts = asyncio.run(run())
    assert [row.feels for row in rows] == ["happy", "sad", None] and rows[0].lives_at[1] == "London"
    assert [float(part.price) for part in parts] == [19.9, 99.0, 250.5] and parts[0].sizes == [1, 2] and parts[0].picture == b"\0\xff"
