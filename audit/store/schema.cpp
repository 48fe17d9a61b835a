#include "audit/store/schema.h"

#include <array>
#include <string>

namespace sallyport {
namespace {

constexpr const char* version_1 =
#include "schema_text.inc"
    ;

// What leads from each version to the next; the first entry leads from nothing to version 1.
constexpr std::array<const char*, schema_version> migrations = {version_1};

constexpr std::string_view roles[] = {"sp_owner", "sp_writer", "sp_reader", "sp_auditor"};

Result<void> check_server(const StoreConnection& store)
{
    if (store.server_version() < 150000)
        return failure(
            Fault::refused,
            "the store is PostgreSQL " + std::to_string(store.server_version() / 10000) +
                "; Sallyport needs 15 or newer: upgrade it, or set store.embedded: true");
    const std::string encoding = store.setting("server_encoding");
    if (encoding != "UTF8")
        return failure(Fault::refused, "the store's database has the encoding " + encoding +
                                           "; create it with ENCODING 'UTF8'");
    return {};
}

// 0 where there is no schema yet.
Result<int> version_in(StoreConnection& store, StoreConnection::Deadline deadline)
{
    // Not to_regclass(), whose answer may be older than a lock just taken.
    TRY(table, store.run("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'audit' AND "
                         "tablename = 'schema_version')",
                         deadline));
    if (table.at(0, 0) != "t")
        return 0;
    TRY(version, store.run("SELECT coalesce(max(version), 0) FROM audit.schema_version", deadline));
    return static_cast<int>(version.number(0, 0));
}

tl::unexpected<Error> newer(int version)
{
    return failure(Fault::refused, "the store's schema is version " + std::to_string(version) +
                                       " and this program knows " + std::to_string(schema_version) +
                                       ": a newer Sallyport has used it; start that one, or give "
                                       "this one a database of its own");
}

// What a database administrator has to run where the gateway's login may not.
std::string grants_needed(const std::string& login, const std::string& database)
{
    std::string text;
    for (const std::string_view role : roles)
        text += "CREATE ROLE " + std::string(role) + " NOLOGIN; ";
    return text + "GRANT sp_owner, sp_writer, sp_reader TO \"" + login +
           "\"; GRANT CREATE ON DATABASE \"" + database + "\" TO \"" + login + "\";";
}

Result<void> make_roles(StoreConnection& store, StoreConnection::Deadline deadline)
{
    TRY(me,
        store.run("SELECT current_user, current_database(), "
                  "(SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user), "
                  "has_database_privilege(current_database(), 'CREATE')",
                  deadline));
    const std::string login(me.at(0, 0));
    const std::string database(me.at(0, 1));
    const bool may_create_roles = me.at(0, 2) == "t";
    const auto refused = [&](const std::string& what) {
        return failure(Fault::refused,
                       "the store's login \"" + login + "\" " + what +
                           "; as a superuser of its server, in database \"" + database +
                           "\", run what is missing of: " + grants_needed(login, database));
    };
    for (const std::string_view name : roles) {
        const std::string role(name);
        TRY(state, store.run("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '" + role + "')",
                             deadline));
        if (state.at(0, 0) != "t") {
            if (!may_create_roles)
                return refused("may not create the role " + role);
            if (auto made = store.execute("CREATE ROLE " + role + " NOLOGIN", deadline); !made)
                return made;
        }
    }
    for (const std::string role : {"sp_owner", "sp_writer", "sp_reader"}) {
        const std::string member = "SELECT pg_has_role(current_user, '" + role + "', 'MEMBER')";
        TRY(before, store.run(member, deadline));
        if (before.at(0, 0) == "t")
            continue;
        if (!may_create_roles)
            return refused("is no member of the role " + role);
        if (auto granted = store.execute("GRANT " + role + " TO CURRENT_USER", deadline); !granted)
            return granted;
    }
    if (me.at(0, 3) != "t")
        return refused("may not create schemas");
    return {};
}

Result<void> migrate(StoreConnection& store, std::string_view program,
                     StoreConnection::Deadline deadline)
{
    // Any number that nobody else uses: one gateway at a time.
    if (auto locked = store.execute("SELECT pg_advisory_xact_lock(7308604894)", deadline); !locked)
        return locked;
    TRY(version, version_in(store, deadline));
    if (version > schema_version)
        return newer(version);
    if (version < schema_version) {
        if (auto made = make_roles(store, deadline); !made)
            return made;
    }
    for (int next = version + 1; next <= schema_version; ++next) {
        if (auto run = store.execute(migrations[static_cast<std::size_t>(next - 1)], deadline);
            !run)
            return run;
        const std::string parameters[] = {std::to_string(next), std::string(program)};
        if (auto noted =
                store.execute("INSERT INTO audit.schema_version(version, program) VALUES ($1, $2)",
                              parameters, deadline);
            !noted)
            return noted;
    }
    return {};
}

}  // namespace

Result<void> apply_schema(StoreConnection& store, std::string_view program,
                          StoreConnection::Deadline deadline)
{
    if (auto good = check_server(store); !good)
        return good;
    TRY(version, version_in(store, deadline));
    if (version == schema_version)
        return {};
    if (version > schema_version)
        return newer(version);

    if (auto begun = store.execute("BEGIN", deadline); !begun)
        return begun;
    auto done = migrate(store, program, deadline);
    if (!done) {
        // The first error is the one to tell; a connection that cannot even roll back is closed.
        (void)store.run("ROLLBACK", deadline);
        return tl::unexpected(Error{done.error().fault,
                                    "the store's schema could not be made: " + done.error().detail,
                                    done.error().context});
    }
    if (auto committed = store.execute("COMMIT", deadline); !committed)
        return committed;
    return {};
}

Result<void> check_schema(StoreConnection& store, StoreConnection::Deadline deadline)
{
    TRY(version, version_in(store, deadline));
    if (version == 0)
        return failure(
            Fault::refused,
            "the store has no records yet: a gateway that uses it must have been started");
    if (version > schema_version)
        return newer(version);
    return {};
}

}  // namespace sallyport
