// The words of rules about SQL: interface.md's classes, and the groups made of them.

#include <array>

#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

namespace {

constexpr auto names = std::to_array<std::string_view>({"select",
                                                        "insert",
                                                        "update",
                                                        "delete",
                                                        "merge",
                                                        "truncate",
                                                        "drop",
                                                        "alter",
                                                        "create",
                                                        "grant",
                                                        "copy_in",
                                                        "copy_out",
                                                        "call",
                                                        "do",
                                                        "execute",
                                                        "set",
                                                        "transaction",
                                                        "listen",
                                                        "lock",
                                                        "maintenance",
                                                        "update_all",
                                                        "delete_all",
                                                        "alter_destructive",
                                                        "code",
                                                        "server_file",
                                                        "remote",
                                                        "identity",
                                                        "admin_function",
                                                        "replication",
                                                        "opaque"});
static_assert(names.size() == static_cast<std::size_t>(SqlClass::opaque) + 1);

template <typename... Classes>
constexpr ClassSet of(Classes... some)
{
    return (ClassSet::of(static_cast<std::size_t>(some)) | ...);
}

using enum SqlClass;

// read: what a person with psql or a driver needs to look at data, with transactions, cursors,
// prepared statements and the settings a client makes. SET ROLE is not among them: it is identity.
// lock is no read: it holds others up, and a prepared transaction outlives the session.
// ddl has neither grant nor code: definitions that hand out rights or run things are asked for by
// name.
constexpr auto groups = std::to_array<Vocabulary::Group>({
    {"read", of(select, copy_out, execute, set, transaction)},
    {"write", of(insert, update, delete_, merge, copy_in, update_all, delete_all, lock, listen)},
    {"ddl", of(create, alter, drop, truncate, alter_destructive, maintenance)},
    {"destructive", of(drop, truncate, delete_, delete_all, update_all, alter_destructive)},
});

}  // namespace

ClassSet reading_classes()
{
    return groups[0].members;
}

const Vocabulary& sql_vocabulary()
{
    // Reads for the receipt's sake: what may go to the target before its record is durable. The
    // effects of a COMMIT are those of statements recorded before it. EXECUTE is not one, since it
    // is whatever was prepared: its Command has the prepared statement's classes beside it.
    static constexpr Vocabulary vocabulary{"sql", names, groups,
                                           of(select, copy_out, set, transaction)};
    return vocabulary;
}

}  // namespace sallyport::postgres
