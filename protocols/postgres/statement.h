// What an SQL text would do, in the session engine's words.
//
// The text is read by PostgreSQL's own grammar (libpg_query's raw parse tree, walked in memory).
// Knows no socket and no catalogue.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/command.h"

namespace sallyport::postgres {

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

// A relation a statement names, as written: schema empty where it was not qualified.
struct RelationName {
    std::string schema;
    std::string name;
};

// What a statement mentions, for masks on results whose columns the server does not trace.
struct Mentions {
    std::vector<RelationName>
        relations;  // everywhere: FROM, subqueries, CTE bodies, COPY ...; not CTE names
    std::vector<std::string>
        columns;             // every identifier that could name a column, last part; sorted, unique
    bool star = false;       // "*" or "t.*" in an output or row (count(*) does not count)
    bool whole_row = false;  // a name that could be a row (row_to_json(t), t::text): an unqualified
                             // name equal to a relation's name or alias
    bool column_aliases = false;  // FROM t AS a(x, y): columns under other names
    std::vector<std::string>
        functions;  // every function called, "schema.name" or "name"; sorted, unique
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
    set,  // SET, RESET
    ddl,  // changes the catalogue
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

struct Statement {
    StatementKind kind = StatementKind::other;
    ClassSet classes;  // of this statement alone
    Mentions mentions;
    // The prepared statement: of PREPARE, DEALLOCATE ("" for ALL) and of an EXECUTE anywhere in it,
    // as in CREATE TABLE AS EXECUTE and EXPLAIN EXECUTE.
    std::string name;
    CopyTarget copy;  // copy_in, copy_out
    // SET, RESET and set_config with a literal name: lower-case names. Not those that a statement
    // sets to what the gateway asks for at login (client_encoding UTF8, standard_conforming_strings
    // on) or goes back to it (RESET). "*" stands for a set_config whose name is not literal: any
    // setting.
    std::vector<std::string> settings;
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

    const std::vector<Statement>& statements() const { return *shared_statements; }
};

// Reads a text. Never fails: what does not parse, is nested too deep (more than 500 levels), has
// more than 5 million tokens or is longer than `text_limit` bytes has the single class opaque and a
// `problem`. trusted_functions: "schema.name" as configured on the connection.
std::shared_ptr<const Sql> read_sql(std::string_view text,
                                    const std::vector<std::string>& trusted_functions,
                                    std::size_t text_limit = std::size_t{32} << 20);

// A text that is not read as SQL: it would do these, at least one. `problem`: as in Sql.
std::shared_ptr<const Sql> unread_sql(std::string_view text, Actions actions,
                                      std::string problem = {});

// A text that cannot be decided, and why.
std::shared_ptr<const Sql> opaque_sql(std::string_view text, std::string problem);

// Texts already read, by exact bytes or, where whole numbers decide nothing, by all but those. One
// for each thread and connection; bounded in bytes, the least recently used go first.
class SqlCache {
public:
    SqlCache(std::vector<std::string> trusted_functions, std::size_t byte_limit);
    ~SqlCache();

    std::shared_ptr<const Sql> find_or_read(std::string_view text);

private:
    struct Index;
    std::unique_ptr<Index> index_;
};

}  // namespace sallyport::postgres
