// What an SQL text would do, in the session engine's words.
//
// The text is read by PostgreSQL's own grammar (libpg_query's raw parse tree, walked in memory),
// and its names are looked up in the target's catalogue (resolution.h). Knows no socket.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/command.h"
#include "protocols/postgres/derived_columns.h"
#include "protocols/postgres/lineage.h"
#include "protocols/postgres/search_path.h"

namespace sallyport::postgres {

class Resolution;

// The classes of interface.md, "SQL classes", in the order of sql_vocabulary().classes.
enum class SqlClass : std::uint8_t {
    select,
    insert,
    update,
    delete_,
    merge,
    truncate,
    drop,
    alter,
    create,
    grant,
    copy_in,
    copy_out,
    call,
    do_,
    execute,
    set,
    transaction,
    listen,
    lock,
    maintenance,
    update_all,
    delete_all,
    alter_destructive,
    code,
    server_file,
    remote,
    identity,
    admin_function,
    replication,
    opaque,
};

// Facet "sql"; groups read, write, ddl, destructive.
const Vocabulary& sql_vocabulary();

// The members of the group "read".
ClassSet reading_classes();

// A relation a statement names, as written: schema empty where it was not qualified.
struct RelationName {
    std::string schema;
    std::string name;
};

enum class StatementKind : std::uint8_t {
    other,        // utility statement without a result of rows that matter
    query,        // SELECT, VALUES, DML: rows only with a RowDescription
    copy_in,      // COPY ... FROM STDIN
    copy_out,     // COPY ... TO STDOUT
    transaction,  // BEGIN, COMMIT, ROLLBACK, SAVEPOINT ...
    prepare,      // PREPARE name AS ...
    execute,      // EXECUTE name
    deallocate,   // DEALLOCATE, DISCARD ALL
    explain,
    fetch,
    show,
    set,      // SET, RESET
    declare,  // DECLARE name CURSOR
    ddl,      // changes the catalogue
};

// COPY t (a, b) TO/FROM STDOUT/STDIN, as far as masking needs it.
struct CopyTarget {
    RelationName relation;             // empty name for COPY (query)
    std::vector<std::string> columns;  // as written; empty: all
    enum class Format : std::uint8_t { text, csv, binary } format = Format::text;
    // Text form options, PostgreSQL's defaults filled in.
    char delimiter = '\t';
    char quote = '"';
    char escape = '"';
    std::string null = "\\N";
    bool header = false;
    bool force_quote = false;
    std::string encoding;  // ENCODING option; empty: the client encoding
};

// How a statement ends or turns back a transaction.
enum class TransactionEnd : std::uint8_t { none, commit, rollback, rollback_to };

struct Statement {
    StatementKind kind = StatementKind::other;
    ClassSet classes;  // of this statement alone
    // Where its values come from and go to. Its columns belong to Sql::names. Never null.
    std::shared_ptr<const Lineage> lineage = std::make_shared<const Lineage>();
    std::vector<DerivedColumn> derived;  // what it copies where
    std::vector<std::string> functions;  // called in its text, as written
    // The prepared statement: of PREPARE, DEALLOCATE ("" for ALL) and of an EXECUTE anywhere in it,
    // as in CREATE TABLE AS EXECUTE and EXPLAIN EXECUTE. The cursor: of DECLARE and FETCH.
    std::string name;
    CopyTarget copy;  // copy_in, copy_out
    // SET, RESET and set_config with a literal name: lower-case names. Not those that a statement
    // sets to what the gateway asks for at login (client_encoding UTF8, standard_conforming_strings
    // on) or goes back to it (RESET). "*" stands for a set_config whose name is not literal: any
    // setting.
    std::vector<std::string> settings;
    std::optional<PathChange> path;  // what it makes of search_path
    TransactionEnd ends = TransactionEnd::none;
    bool asks_to_write = false;      // a setting would make the session or the transaction write
    bool has_mode_write = false;     // BEGIN, SET TRANSACTION and their like with READ WRITE
    bool unknown_names = false;      // it calls what nobody knows
    bool changes_catalogue = false;  // DDL anywhere in it
};

// One text as sent in Query or Parse. Immutable and shared between sessions.
struct Sql {
    std::shared_ptr<const Command> command;  // actions of all its statements
    // Never null; empty: an empty query (or what did not parse).
    std::shared_ptr<const std::vector<Statement>> shared_statements =
        std::make_shared<const std::vector<Statement>>();
    std::string problem;  // why the text could not be read; its one action is then opaque
    bool same_for_any_numbers = false;  // see sql_shape.h: whole numbers in it decide nothing
    // What its names were resolved with; keeps the columns of its lineages.
    std::shared_ptr<const Resolution> names;
    std::vector<std::shared_ptr<const Resolution>> later_names;  // of statements behind the first

    const std::vector<Statement>& statements() const { return *shared_statements; }
};

// Reads a text. Never fails: what does not parse, is nested too deep (more than 500 levels), has
// more than 5 million tokens or is longer than `text_limit` bytes has the single class opaque and a
// `problem`.
std::shared_ptr<const Sql> read_sql(std::string_view text, const std::shared_ptr<Resolution>& names,
                                    std::size_t text_limit = std::size_t{32} << 20);

// A text that is not read as SQL: it would do these, at least one. `problem`: as in Sql.
std::shared_ptr<const Sql> unread_sql(std::string_view text, Actions actions,
                                      std::string problem = {});

// A text that cannot be decided, and why.
std::shared_ptr<const Sql> opaque_sql(std::string_view text, std::string problem);

// Texts already read, by exact bytes or, where whole numbers decide nothing, by all but those. All
// of them with the same meaning of names. Bounded in bytes, the least recently used go first.
class SqlCache {
public:
    SqlCache(std::shared_ptr<Resolution> names, std::size_t byte_limit);
    ~SqlCache();

    const std::shared_ptr<Resolution>& names() const { return names_; }

    std::shared_ptr<const Sql> find_or_read(std::string_view text);

private:
    struct Index;
    std::shared_ptr<Resolution> names_;
    std::unique_ptr<Index> index_;
};

}  // namespace sallyport::postgres
