#include "protocols/postgres/tree_walk.h"

#include <algorithm>

#include "protocols/postgres/lineage_walk.h"
#include "protocols/postgres/object_names.h"
#include "protocols/postgres/own_relations.h"

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
    case T_DeclareCursorStmt: return StatementKind::declare;
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

TreeWalk::TreeWalk(Resolution& names) : names_(&names) {}
TreeWalk::~TreeWalk() = default;

std::vector<Statement> TreeWalk::walk_all(const RawParse& parsed)
{
    std::vector<Statement> made;
    const auto statements = cells(parsed.tree());
    made.reserve(statements.size());
    for (const ListCell& cell : statements) {
        if (too_deep_)
            break;
        if (!made.empty())
            names_after(made.back());
        made.push_back(walk(as<RawStmt>(node_of(cell))));
    }
    close_copies(made);
    return made;
}

// What a statement makes, renames and copies is there for those behind it in the same text.
void TreeWalk::names_after(const Statement& done)
{
    constexpr ClassSet moves_relations = of(SqlClass::drop) | of(SqlClass::alter) |
                                         of(SqlClass::alter_destructive) | of(SqlClass::do_) |
                                         of(SqlClass::call) | of(SqlClass::opaque);
    constexpr ClassSet moves_functions = moves_relations | of(SqlClass::code);
    const bool relations = !(done.classes & moves_relations).empty();
    const bool functions = !(done.classes & moves_functions).empty();
    bool changed = done.path || (relations && !names_->doubts_relations()) ||
                   (functions && !names_->doubts_functions());
    for (const DerivedColumn& copied : done.derived) {
        std::string copy = copied.schema + '\0' + copied.relation + '\0' + copied.column;
        for (const std::string& place : copied.places)
            copy += '\0' + place;
        changed = copies_.insert(std::move(copy)).second || changed;
    }
    changed = own_.take(done) || changed;
    if (!changed)
        return;
    later_.push_back(names_->after(done, own_.relations(), relations, functions));
    names_ = later_.back().get();
}

void TreeWalk::begin(Statement& made)
{
    statement_ = &made;
    first_ = actions_.size();
    known_.clear();
    has_behind_ = false;
    locked_.clear();
    calls_.clear();
    uses_.clear();
    types_.clear();
    reads_ = false;
}

Statement TreeWalk::walk(const RawStmt& raw)
{
    Statement made;
    made.kind = kind_of(raw.stmt);
    begin_ = raw.stmt_location < 0 ? 0 : raw.stmt_location;
    begin(made);
    node(raw.stmt);
    // A reader of nothing in particular still reads.
    for (std::size_t i = first_; reads_ && i < actions_.size(); ++i)
        reads_ = actions_[i].action_class != static_cast<std::uint8_t>(SqlClass::select);
    if (reads_ || actions_.size() == first_)
        add(SqlClass::select, {}, "SELECT");
    if (!too_deep_) {
        LineageWalk lineage(*names_);
        auto found = std::make_shared<Lineage>(lineage.statement(raw.stmt));
        weighed_constants_ = weighed_constants_ || found->positions;
        // A rule may answer with rows of its own.
        for (const RelationUse& use : uses_)
            found->exact = found->exact && (use.use == Use::read || use.relation->rules.empty());
        names_->set_off(uses_, *found);
        found->show_written();
        made.derived = derived_by(*found);
        made.lineage = std::move(found);
        follow();
    }

    for (std::size_t i = first_; i < actions_.size(); ++i)
        made.classes |= ClassSet::of(actions_[i].action_class);
    made.changes_catalogue = !(made.classes & catalogue_changes).empty();
    statement_ = nullptr;
    return made;
}

// What the statement's functions, views, triggers and rules do is done by the statement.
void TreeWalk::follow()
{
    if (calls_.empty() && uses_.empty())
        return;
    Doings more;
    more.calls = std::move(calls_);
    more.uses = std::move(uses_);
    more.types = std::move(types_);
    names_->follow(more);
    for (const Action& action : more.actions)
        add(static_cast<SqlClass>(action.action_class), action.object, action.cause, action.behind);
    // Where and how often they are called is not known.
    for (const std::string& setting : more.settings) {
        if (setting == "search_path" || setting == "*")
            statement_->path = PathChange{};
    }
    statement_->settings.insert(statement_->settings.end(), more.settings.begin(),
                                more.settings.end());
}

Doings TreeWalk::collect()
{
    Doings made;
    made.actions = std::move(actions_);
    made.calls = std::move(calls_);
    made.uses = std::move(uses_);
    made.types = std::move(types_);
    made.settings = std::move(statement_->settings);
    if (too_deep_ || !misread_.empty())
        made.actions.push_back({static_cast<std::uint8_t>(SqlClass::opaque),
                                {},
                                "a definition that is nested too deep"});
    statement_ = nullptr;
    return made;
}

Doings TreeWalk::doings(const RawParse& parsed)
{
    Statement made;
    begin(made);
    list(parsed.tree());
    return collect();
}

Doings TreeWalk::doings(const RuleStmt& one)
{
    Statement made;
    begin(made);
    node(one.whereClause);
    // The rows of the statement that sets it off.
    with_names_.insert(with_names_.end(), {"new", "old"});
    list(one.actions);
    return collect();
}

Doings TreeWalk::doings(const CreateFunctionStmt& one)
{
    Statement made;
    begin(made);
    called_body(one);
    return collect();
}

std::string TreeWalk::name_of(const RangeVar& relation) const
{
    return postgres::name_of(*names_, relation);
}

std::string TreeWalk::name_of(const List* parts) const
{
    return postgres::name_of(*names_, parts);
}

std::string TreeWalk::name_of(int kind, const Node* object) const
{
    return postgres::name_of(*names_, kind, object);
}

std::string TreeWalk::name_to_create(const RangeVar& relation) const
{
    if (relation.schemaname != nullptr || relation.relpersistence == 't')
        return name_of(relation);
    return names_->creation_schema() + "." + std::string(view(relation.relname));
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

void TreeWalk::add(SqlClass what, const std::string& object, std::string_view cause, bool behind)
{
    constexpr std::size_t few = 16;
    const auto position = static_cast<std::uint8_t>(what);
    if (actions_.size() - first_ < few) {
        for (std::size_t i = first_; i < actions_.size(); ++i) {
            if (actions_[i].action_class == position && actions_[i].object == object) {
                actions_[i].behind = actions_[i].behind && behind;
                return;
            }
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
        if (!known_.insert(key(position, object)).second) {
            for (std::size_t i = first_; has_behind_ && !behind && i < actions_.size(); ++i) {
                if (actions_[i].action_class == position && actions_[i].object == object)
                    actions_[i].behind = false;
            }
            return;
        }
    }
    has_behind_ = has_behind_ || behind;
    actions_.push_back({position, object, std::string(cause), behind});
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
