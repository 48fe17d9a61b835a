#include "protocols/postgres/tree_walk.h"

#include <algorithm>

#include "protocols/postgres/object_names.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

// SELECT INTO; of several SELECTs the first has the INTO.
bool creates_table(const SelectStmt& one)
{
    const SelectStmt* first = &one;
    while (first->larg != nullptr)
        first = first->larg;
    return first->intoClause != nullptr;
}

StatementKind kind_of(const Node* one)
{
    switch (one->type) {
    case T_SelectStmt:
        return creates_table(as<SelectStmt>(one)) ? StatementKind::ddl : StatementKind::query;
    case T_InsertStmt:
    case T_UpdateStmt:
    case T_DeleteStmt:
    case T_MergeStmt: return StatementKind::query;
    case T_CopyStmt:
        if (as<CopyStmt>(one).filename != nullptr || as<CopyStmt>(one).is_program)
            return StatementKind::other;
        return as<CopyStmt>(one).is_from ? StatementKind::copy_in : StatementKind::copy_out;
    case T_TransactionStmt: return StatementKind::transaction;
    case T_PrepareStmt: return StatementKind::prepare;
    case T_ExecuteStmt: return StatementKind::execute;
    case T_DeallocateStmt: return StatementKind::deallocate;
    case T_DiscardStmt:
        return as<DiscardStmt>(one).target == DISCARD_ALL ? StatementKind::deallocate
                                                          : StatementKind::other;
    case T_ExplainStmt: return StatementKind::explain;
    case T_FetchStmt: return StatementKind::fetch;
    case T_VariableShowStmt: return StatementKind::show;
    case T_VariableSetStmt: return StatementKind::set;
    case T_DeclareCursorStmt:
    case T_ClosePortalStmt:
    case T_CallStmt:
    case T_DoStmt:
    case T_ListenStmt:
    case T_UnlistenStmt:
    case T_NotifyStmt:
    case T_LockStmt:
    case T_LoadStmt:
    case T_CheckPointStmt:
    case T_VacuumStmt:
    case T_ReindexStmt:
    case T_ClusterStmt:
    case T_RefreshMatViewStmt:
    case T_TruncateStmt:
    case T_ConstraintsSetStmt: return StatementKind::other;
    default: return StatementKind::ddl;
    }
}

void sort_unique(auto& some)
{
    std::sort(some.begin(), some.end());
    some.erase(std::unique(some.begin(), some.end()), some.end());
}

constexpr ClassSet of(SqlClass one)
{
    return ClassSet::of(static_cast<std::size_t>(one));
}

// What may leave the catalogue other than it was; code may do anything.
constexpr ClassSet catalogue_changes =
    of(SqlClass::drop) | of(SqlClass::alter) | of(SqlClass::create) | of(SqlClass::grant) |
    of(SqlClass::alter_destructive) | of(SqlClass::do_) | of(SqlClass::call) | of(SqlClass::code) |
    of(SqlClass::opaque);

}  // namespace

std::vector<Statement> TreeWalk::walk_all(const RawParse& parsed)
{
    std::vector<Statement> made;
    const auto statements = cells(parsed.tree());
    made.reserve(statements.size());
    for (const ListCell& cell : statements) {
        if (!too_deep_)
            made.push_back(walk(as<RawStmt>(node_of(cell))));
    }
    return made;
}

Statement TreeWalk::walk(const RawStmt& raw)
{
    Statement made;
    made.kind = kind_of(raw.stmt);
    statement_ = &made;
    begin_ = raw.stmt_location < 0 ? 0 : raw.stmt_location;
    first_ = actions_.size();
    known_.clear();
    relations_.clear();
    functions_.clear();
    columns_.clear();
    rows_.clear();
    reads_ = false;
    star_ = false;
    node(raw.stmt);
    // A reader of nothing in particular still reads.
    for (std::size_t i = first_; reads_ && i < actions_.size(); ++i)
        reads_ = actions_[i].action_class != static_cast<std::uint8_t>(SqlClass::select);
    if (reads_ || actions_.size() == first_)
        add(SqlClass::select, {}, "SELECT");

    for (std::size_t i = first_; i < actions_.size(); ++i)
        made.classes |= ClassSet::of(actions_[i].action_class);
    made.changes_catalogue = !(made.classes & catalogue_changes).empty();
    collect(made.mentions);
    statement_ = nullptr;
    return made;
}

// The names were views of the tree until now.
void TreeWalk::collect(Mentions& mentions)
{
    sort_unique(relations_);
    sort_unique(functions_);
    sort_unique(columns_);
    sort_unique(rows_);
    mentions.relations.reserve(relations_.size());
    for (const auto& [schema, name] : relations_)
        mentions.relations.push_back({std::string(schema), std::string(name)});
    mentions.functions.reserve(functions_.size());
    for (const auto& [schema, name] : functions_)
        mentions.functions.push_back(
            schema.empty() ? std::string(name) : std::string(schema) + "." + std::string(name));
    std::sort(mentions.functions.begin(), mentions.functions.end());
    mentions.columns.reserve(columns_.size());
    for (const std::string_view name : columns_) {
        mentions.columns.emplace_back(name);
        if (std::binary_search(rows_.begin(), rows_.end(), name))
            mentions.whole_row = true;
    }
    mentions.star = star_;
}

void TreeWalk::node(const void* any)
{
    if (any == nullptr)
        return;
    const Level level(*this);
    if (!level.entered())
        return;
    ++nodes_;
    const Node* one = static_cast<const Node*>(any);
    if (one->type > T_RawStmt && one->type <= T_AlterStatsStmt)
        statement(one);
    else
        expression(one);
}

void TreeWalk::list(const List* nodes)
{
    for (const ListCell& cell : cells(nodes)) {
        if (too_deep_)
            return;
        node(node_of(cell));
    }
}

void TreeWalk::add(SqlClass what, const std::string& object, std::string_view cause)
{
    constexpr std::size_t few = 16;
    const auto position = static_cast<std::uint8_t>(what);
    if (actions_.size() - first_ < few) {
        for (std::size_t i = first_; i < actions_.size(); ++i) {
            if (actions_[i].action_class == position && actions_[i].object == object)
                return;
        }
    } else {
        const auto key = [](std::uint8_t of_class, const std::string& of_object) {
            std::string text(1, static_cast<char>(of_class));
            return text += of_object;
        };
        if (known_.empty()) {
            for (std::size_t i = first_; i < actions_.size(); ++i)
                known_.insert(key(actions_[i].action_class, actions_[i].object));
        }
        if (!known_.insert(key(position, object)).second)
            return;
    }
    actions_.push_back({position, object, std::string(cause)});
}

void TreeWalk::add(ClassSet classes, const std::string& object, std::string_view cause)
{
    for (std::size_t i = 0; i <= static_cast<std::size_t>(SqlClass::opaque); ++i) {
        if (classes.contains(i))
            add(static_cast<SqlClass>(i), object, cause);
    }
}

// Locations inside a function body are the body's own; bodies are searched as text.
void TreeWalk::secret(int location, bool only_connection_string)
{
    if (location >= 0 && bodies_within_ == 0)
        secrets_.push_back({static_cast<std::size_t>(location), only_connection_string});
}

}  // namespace sallyport::postgres
