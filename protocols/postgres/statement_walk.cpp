// Statements that neither define anything nor are queries: sessions, transactions, COPY,
// maintenance.

#include "protocols/postgres/copy_options.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

constexpr int access_share = 1;  // AccessShareLock of storage/lockdefs.h

std::string lower_case(std::string_view name)
{
    std::string lower(name);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

bool is_on(std::string_view value)
{
    const std::string lower = lower_case(value);
    return lower == "on" || lower == "true" || lower == "yes" || lower == "1";
}

// What the gateway asks for at login anyway.
bool is_as_pinned(const std::string& name, std::string_view value)
{
    const std::string lower = lower_case(value);
    if (name == "client_encoding")
        return lower == "utf8" || lower == "utf-8" || lower == "unicode";
    return name == "standard_conforming_strings" && is_on(value);
}

}  // namespace

void TreeWalk::statement(const Node* one)
{
    if (!query(one) && !session_statement(one) && !maintenance(one) && !definition(one) &&
        !alteration(one))
        opaque("a kind of statement that is not known here");
}

bool TreeWalk::session_statement(const Node* one)
{
    switch (one->type) {
    case T_VariableSetStmt: set_variable(as<VariableSetStmt>(one)); return true;
    case T_VariableShowStmt: add(SqlClass::select, {}, "SHOW"); return true;
    case T_DiscardStmt:
        // What pools send between clients. DISCARD ALL also ends SET ROLE, as a new login would.
        add(SqlClass::set, {}, "DISCARD");
        if (as<DiscardStmt>(one).target == DISCARD_ALL)
            statement_->path = PathChange{PathChange::To::as_at_login, {}, false};
        return true;
    case T_ConstraintsSetStmt: add(SqlClass::set, {}, "SET CONSTRAINTS"); return true;
    case T_TransactionStmt: transaction(as<TransactionStmt>(one)); return true;
    case T_PrepareStmt:
        statement_->name = view(as<PrepareStmt>(one).name);
        node(as<PrepareStmt>(one).query);
        return true;
    case T_ExecuteStmt:
        execute(view(as<ExecuteStmt>(one).name), as<ExecuteStmt>(one).params);
        return true;
    case T_DeallocateStmt:
        statement_->name = view(as<DeallocateStmt>(one).name);
        add(SqlClass::set, {}, "DEALLOCATE");
        return true;
    case T_DeclareCursorStmt:
        statement_->name = view(as<DeclareCursorStmt>(one).portalname);
        add(SqlClass::select, {}, "DECLARE CURSOR");
        node(as<DeclareCursorStmt>(one).query);
        return true;
    case T_FetchStmt:
        statement_->name = view(as<FetchStmt>(one).portalname);
        add(SqlClass::select, {}, "FETCH");
        return true;
    case T_ClosePortalStmt: add(SqlClass::select, {}, "CLOSE"); return true;
    case T_ExplainStmt:
        add(SqlClass::select, {}, "EXPLAIN");
        node(as<ExplainStmt>(one).query);
        return true;
    case T_ListenStmt:
        add(SqlClass::listen, std::string(view(as<ListenStmt>(one).conditionname)), "LISTEN");
        return true;
    case T_UnlistenStmt:
        // Part of what drivers send to clean a session up; it takes nothing from anybody else.
        add(SqlClass::set, {}, "UNLISTEN");
        return true;
    case T_NotifyStmt:
        add(SqlClass::listen, std::string(view(as<NotifyStmt>(one).conditionname)), "NOTIFY");
        return true;
    case T_CopyStmt: copy(as<CopyStmt>(one)); return true;
    case T_DoStmt: do_block(as<DoStmt>(one).args); return true;
    case T_CallStmt: {
        const FuncCall& routine = *as<CallStmt>(one).funccall;
        const std::string object = name_of(routine.funcname);
        add(SqlClass::call, object, "CALL");
        add(SqlClass::code, object, "CALL");
        call(routine);
        return true;
    }
    default: return false;
    }
}

void TreeWalk::execute(std::string_view name, const List* parameters)
{
    statement_->name = name;
    add(SqlClass::execute, {}, "EXECUTE");
    list(parameters);
}

void TreeWalk::transaction(const TransactionStmt& one)
{
    add(SqlClass::transaction, {}, "transaction command");
    switch (one.kind) {
    case TRANS_STMT_BEGIN:
    case TRANS_STMT_START:
    case TRANS_STMT_SAVEPOINT:
    case TRANS_STMT_RELEASE: break;
    case TRANS_STMT_COMMIT: statement_->ends = TransactionEnd::commit; break;
    case TRANS_STMT_ROLLBACK: statement_->ends = TransactionEnd::rollback; break;
    case TRANS_STMT_ROLLBACK_TO: statement_->ends = TransactionEnd::rollback_to; break;
    // A prepared transaction and its locks outlive the session, and any session may end it: no
    // read.
    case TRANS_STMT_PREPARE: add(SqlClass::lock, {}, "PREPARE TRANSACTION"); break;
    case TRANS_STMT_COMMIT_PREPARED: add(SqlClass::lock, {}, "COMMIT PREPARED"); break;
    case TRANS_STMT_ROLLBACK_PREPARED: add(SqlClass::lock, {}, "ROLLBACK PREPARED"); break;
    default: opaque("a transaction command that is not known here");
    }
    for (const ListCell& cell : cells(one.options))
        transaction_mode(as<DefElem>(node_of(cell)));
}

void TreeWalk::set_variable(const VariableSetStmt& one)
{
    switch (one.kind) {
    case VAR_RESET_ALL:
        add(SqlClass::set, {}, "RESET ALL");
        statement_->path = PathChange{PathChange::To::as_at_login, {}, false};
        return;
    case VAR_SET_MULTI:
        // SET TRANSACTION ..., SET SESSION CHARACTERISTICS AS TRANSACTION ...
        for (const ListCell& cell : cells(one.args)) {
            if (!is(node_of(cell), T_DefElem))
                continue;
            transaction_mode(as<DefElem>(node_of(cell)));
            setting(view(as<DefElem>(node_of(cell)).defname), {}, "SET TRANSACTION");
        }
        add(SqlClass::set, {}, "SET TRANSACTION");
        return;
    case VAR_SET_VALUE: break;
    case VAR_SET_CURRENT: setting(view(one.name), {}, "SET FROM CURRENT"); return;
    case VAR_SET_DEFAULT:
    case VAR_RESET:
        if (lower_case(view(one.name)) == "search_path")
            statement_->path = PathChange{PathChange::To::as_at_login, {}, one.is_local};
        restored(view(one.name));
        return;
    }
    const auto values = cells(one.args);
    const Node* value = values.size() == 1 ? node_of(values[0]) : nullptr;
    list(one.args);
    if (lower_case(view(one.name)) == "search_path") {
        // Each value is one schema's name, whatever stands in it.
        PathChange path{PathChange::To::value, {}, one.is_local};
        for (const ListCell& cell : values) {
            if (is(node_of(cell), T_A_Const) && is(&as<A_Const>(node_of(cell)).val, T_String))
                path.schemas.emplace_back(string_of(&as<A_Const>(node_of(cell)).val));
            else
                path.to = PathChange::To::unknown;
        }
        statement_->path = std::move(path);
    }
    setting(view(one.name),
            is(value, T_A_Const) ? string_of(&as<A_Const>(value).val) : std::string_view(), "SET");
}

// READ WRITE; READ ONLY is what the session may have to be.
void TreeWalk::transaction_mode(const DefElem& mode)
{
    if (view(mode.defname) != "transaction_read_only")
        return;
    const bool read_only = is(mode.arg, T_A_Const) && is(&as<A_Const>(mode.arg).val, T_Integer) &&
                           as<A_Const>(mode.arg).val.ival.ival != 0;
    statement_->has_mode_write = statement_->has_mode_write || !read_only;
}

// Names of settings are compared without regard to case, quoted or not.
void TreeWalk::setting(std::string_view name, std::string_view value, std::string_view how)
{
    std::string lower = lower_case(name);
    changes_setting(lower, std::string(how) + " " + lower);
    if (lower == "search_path" && !statement_->path)
        statement_->path = PathChange{};
    if ((lower == "transaction_read_only" || lower == "default_transaction_read_only") &&
        how != "SET TRANSACTION" && !is_on(value))
        statement_->asks_to_write = true;
    if (!is_as_pinned(lower, value))
        statement_->settings.push_back(std::move(lower));
}

// RESET and SET ... TO DEFAULT go back to what the login asked for.
void TreeWalk::restored(std::string_view name)
{
    const std::string lower = lower_case(name);
    changes_setting(lower, "RESET " + lower);
    if (lower != "client_encoding" && lower != "standard_conforming_strings")
        statement_->settings.push_back(lower);
}

void TreeWalk::changes_setting(const std::string& name, const std::string& cause)
{
    add(SqlClass::set, name, cause);
    if (name == "role" || name == "session_authorization")
        add(SqlClass::identity, name, cause);
}

void TreeWalk::copy(const CopyStmt& one)
{
    const bool file = one.filename != nullptr || one.is_program;
    CopyTarget& copied = statement_->copy;
    std::string object;
    if (one.relation != nullptr) {
        object = name_of(*one.relation);
        for (const CatalogueRelation* table :
             names_->relations(view(one.relation->schemaname), view(one.relation->relname)))
            uses_.push_back({table, one.is_from ? Use::insert : Use::read});
        copied.relation = {std::string(view(one.relation->schemaname)),
                           std::string(view(one.relation->relname))};
        for (const ListCell& cell : cells(one.attlist))
            copied.columns.emplace_back(string_of(node_of(cell)));
    }
    add(one.is_from ? SqlClass::copy_in : SqlClass::copy_out, object,
        one.is_from ? "COPY FROM" : "COPY TO");
    // It reads the table as SELECT does.
    if (!one.is_from && one.relation != nullptr)
        add(SqlClass::select, object, "COPY TO");
    if (file)
        add(SqlClass::server_file, object,
            one.is_program ? "COPY with a program on the server"
                           : "COPY with a file on the server");
    node(one.query);
    node(one.whereClause);
    copy_options(one.options, copied);
}

bool TreeWalk::maintenance(const Node* one)
{
    switch (one->type) {
    case T_VacuumStmt: {
        const auto& vacuum = as<VacuumStmt>(one);
        const std::string_view verb = vacuum.is_vacuumcmd ? "VACUUM" : "ANALYZE";
        for (const ListCell& cell : cells(vacuum.rels)) {
            if (const RangeVar* table = as<VacuumRelation>(node_of(cell)).relation)
                add(SqlClass::maintenance, name_of(*table), verb);
        }
        if (vacuum.rels == nullptr)
            add(SqlClass::maintenance, {}, verb);
        return true;
    }
    case T_ClusterStmt: {
        const RangeVar* table = as<ClusterStmt>(one).relation;
        add(SqlClass::maintenance, table == nullptr ? std::string() : name_of(*table), "CLUSTER");
        return true;
    }
    case T_ReindexStmt: {
        const auto& reindex = as<ReindexStmt>(one);
        add(SqlClass::maintenance,
            reindex.relation == nullptr ? std::string(view(reindex.name))
                                        : name_of(*reindex.relation),
            "REINDEX");
        return true;
    }
    case T_RefreshMatViewStmt: {
        const RangeVar& made = *as<RefreshMatViewStmt>(one).relation;
        add(SqlClass::maintenance, name_of(made), "REFRESH MATERIALIZED VIEW");
        for (const CatalogueRelation* each :
             names_->relations(view(made.schemaname), view(made.relname)))
            uses_.push_back({each, Use::insert});
        return true;
    }
    case T_CheckPointStmt: add(SqlClass::maintenance, {}, "CHECKPOINT"); return true;
    case T_LockStmt: {
        // ACCESS SHARE is the lock that a SELECT takes, and what pg_dump asks for first.
        const SqlClass how =
            as<LockStmt>(one).mode == access_share ? SqlClass::select : SqlClass::lock;
        for (const ListCell& cell : cells(as<LockStmt>(one).relations)) {
            const auto& table = as<RangeVar>(node_of(cell));
            add(how, name_of(table), "LOCK");
        }
        return true;
    }
    case T_TruncateStmt:
        for (const ListCell& cell : cells(as<TruncateStmt>(one).relations)) {
            const auto& table = as<RangeVar>(node_of(cell));
            add(SqlClass::truncate, name_of(table), "TRUNCATE");
            for (const CatalogueRelation* each :
                 names_->relations(view(table.schemaname), view(table.relname)))
                truncated(*each, as<TruncateStmt>(one).behavior == DROP_CASCADE);
        }
        return true;
    default: return false;
    }
}

// CASCADE empties every table that refers to it as well, and those that refer to them.
void TreeWalk::truncated(const CatalogueRelation& table, bool cascades)
{
    const RelationUse use{&table, Use::truncate};
    if (std::find(uses_.begin(), uses_.end(), use) != uses_.end())
        return;
    uses_.push_back(use);
    const Level level(*this);
    if (!cascades || !level.entered() || !names_->catalogue())
        return;
    for (const CatalogueReference& reference : table.references) {
        const CatalogueRelation* other = names_->catalogue()->relation(reference.relation);
        if (other == nullptr)
            continue;
        add(SqlClass::truncate, other->schema + "." + other->name, "TRUNCATE ... CASCADE");
        truncated(*other, true);
    }
}

}  // namespace sallyport::postgres
