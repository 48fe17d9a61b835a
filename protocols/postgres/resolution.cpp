#include "protocols/postgres/resolution.h"

#include <algorithm>
#include <unordered_set>

#include "protocols/postgres/derived_columns.h"
#include "protocols/postgres/function_classes.h"
#include "protocols/postgres/lineage_memory.h"
#include "protocols/postgres/lineage_walk.h"
#include "protocols/postgres/raw_parse.h"
#include "protocols/postgres/statement.h"
#include "protocols/postgres/tree_walk.h"
#include "protocols/postgres/value_functions.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

// Functions, views and triggers that one statement may set off.
constexpr std::size_t most_followed = 10'000;

bool is_system(std::string_view schema)
{
    return schema == "pg_catalog" || schema == "information_schema";
}

std::string dotted(std::string_view schema, std::string_view name)
{
    std::string text;
    text.reserve(schema.size() + 1 + name.size());
    text += schema;
    text += '.';
    text += name;
    return text;
}

// Only where it is a statement of one kind, as the catalogue's texts are.
const Node* only_statement(const RawParse& parsed)
{
    const auto statements = cells(parsed.tree());
    return statements.size() == 1 ? as<RawStmt>(node_of(statements[0])).stmt : nullptr;
}

const Node* only_output(const Node* query)
{
    if (!is(query, T_SelectStmt))
        return nullptr;
    const auto targets = cells(as<SelectStmt>(query).targetList);
    return targets.size() == 1 ? as<ResTarget>(node_of(targets[0])).val : nullptr;
}

// In a library, or under another name of a built-in one, and of an extension that is known.
bool computes_alone(const CatalogueFunction& function)
{
    return (function.language == "c" || function.language == "internal") &&
           computes_only(function.extension, function.name);
}

std::uint16_t event_of(Use use)
{
    switch (use) {
    case Use::insert: return CatalogueTrigger::on_insert;
    case Use::update: return CatalogueTrigger::on_update;
    case Use::key: return 0;  // comes with update
    case Use::delete_: return CatalogueTrigger::on_delete;
    case Use::truncate: return CatalogueTrigger::on_truncate;
    case Use::read: break;
    }
    return 0;
}

Doings undecidable(const std::string& object, std::string cause)
{
    Doings doings;
    doings.actions.push_back(
        {static_cast<std::uint8_t>(SqlClass::opaque), object, std::move(cause)});
    return doings;
}

}  // namespace

namespace {

struct UseHash {
    std::size_t operator()(const RelationUse& use) const
    {
        return std::hash<const void*>()(use.relation) * 31 + static_cast<std::size_t>(use.use);
    }
};

}  // namespace

struct Resolution::Memory {
    std::unordered_map<const CatalogueFunction*, Doings> of_functions;
    std::unordered_map<RelationUse, Doings, UseHash> of_uses;
};

// The same names under all the search paths that bodies are read with.
struct Resolution::Paths {
    Resolution* first = nullptr;  // owns this
    std::vector<std::unique_ptr<Resolution>> others;
    LineageMemory lineages;
};

Resolution::Resolution(std::shared_ptr<const Catalogue> catalogue,
                       std::vector<std::string> trusted_functions, SearchPath path,
                       std::vector<std::shared_ptr<const CatalogueRelation>> own)
    : catalogue_(std::move(catalogue)),
      trusted_(std::move(trusted_functions)),
      path_(std::move(path)),
      own_(std::move(own)),
      memory_(std::make_unique<Memory>()),
      own_paths_(std::make_unique<Paths>()),
      paths_(own_paths_.get())
{
    paths_->first = this;
    if (!catalogue_)
        return;
    for (const CatalogueCast& cast : catalogue_->casts()) {
        const CatalogueFunction* function = catalogue_->function(cast.function);
        if (cast.context == 'e' || function == nullptr ||
            computes_only(function->extension, function->name))
            continue;
        const auto is_own = [&](std::uint32_t type) { return catalogue_->type(type) != nullptr; };
        unwritten_.push_back(
            {is_own(cast.source) ? cast.source : (is_own(cast.target) ? cast.target : 0),
             function});
    }
}

Resolution::Resolution(Paths& paths, SearchPath path)
    : catalogue_(paths.first->catalogue_),
      trusted_(paths.first->trusted_),
      path_(std::move(path)),
      own_(paths.first->own_),
      unwritten_(paths.first->unwritten_),
      doubts_relations_(paths.first->doubts_relations_),
      doubts_functions_(paths.first->doubts_functions_),
      memory_(std::make_unique<Memory>()),
      paths_(&paths)
{
}

Resolution::~Resolution() = default;

std::shared_ptr<Resolution> Resolution::after(
    const Statement& done, std::vector<std::shared_ptr<const CatalogueRelation>> own,
    bool relations, bool functions) const
{
    SearchPath path = path_;
    if (done.path && done.path->to == PathChange::To::value)
        path = SearchPath{done.path->schemas, true};
    else if (done.path)
        path = SearchPath{{}, false};
    // Whose schema that is, is not known here.
    if (std::ranges::find(path.schemas, "$user") != path.schemas.end())
        path = SearchPath{{}, false};
    for (const auto& before : own_) {
        const auto is_newer = [&](const auto& made) {
            return made->schema == before->schema && made->name == before->name;
        };
        if (std::ranges::none_of(own, is_newer))
            own.push_back(before);
    }
    // What was copied into a table of the catalogue is not in its places yet.
    for (const DerivedColumn& copied : done.derived) {
        for (const CatalogueRelation* relation :
             catalogue_ ? catalogue_->relations_named(copied.relation)
                        : std::span<const CatalogueRelation* const>()) {
            if (relation->schema != copied.schema)
                continue;
            auto known = std::ranges::find_if(
                own, [&](const auto& one) { return one->oid == relation->oid && one->oid != 0; });
            auto filled =
                std::make_shared<CatalogueRelation>(known == own.end() ? *relation : **known);
            for (CatalogueColumn& column : filled->columns) {
                if (column.name != copied.column)
                    continue;
                column.places.insert(column.places.end(), copied.places.begin(),
                                     copied.places.end());
                column.holds_values =
                    column.holds_values ||
                    std::ranges::find(copied.places, untraced_place) != copied.places.end();
            }
            if (known == own.end())
                own.push_back(std::move(filled));
            else
                *known = std::move(filled);
        }
    }
    auto made = std::make_shared<Resolution>(catalogue_, trusted_, std::move(path), std::move(own));
    made->doubts_relations_ = doubts_relations_ || relations;
    made->doubts_functions_ = doubts_functions_ || functions;
    return made;
}

bool Resolution::in_path(std::string_view schema) const
{
    return !path_.known || schema == "pg_catalog" ||
           std::ranges::find(path_.schemas, schema) != path_.schemas.end();
}

std::vector<const CatalogueRelation*> Resolution::relations(std::string_view schema,
                                                            std::string_view name) const
{
    std::vector<const CatalogueRelation*> found;
    // Of the session's own nobody knows whether they are still there: they never stand alone for a
    // name that the catalogue has as well.
    for (const auto& own : own_) {
        const bool fits = schema.empty() ? own->schema == "pg_temp" || in_path(own->schema)
                                         : own->schema == schema;
        if (own->name == name && fits)
            found.push_back(own.get());
    }
    if (!catalogue_)
        return found;
    const auto named = catalogue_->relations_named(name);
    const auto add_new = [&](const CatalogueRelation* relation) {
        // Read by now: the catalogue has it as it is.
        std::erase_if(found, [&](const CatalogueRelation* own) {
            return own->schema == relation->schema && own->oid == 0;
        });
        found.push_back(relation);
    };
    if (!schema.empty() || !path_.known) {
        for (const CatalogueRelation* relation : named) {
            const bool temporary = relation->schema.starts_with("pg_temp");
            if (schema.empty() ? !temporary : relation->schema == schema)
                add_new(relation);
        }
        return found;
    }
    const auto in_schema = [&](std::string_view wanted) {
        for (const CatalogueRelation* relation : named) {
            if (relation->schema == wanted) {
                add_new(relation);
                return true;
            }
        }
        return false;
    };
    // pg_catalog comes first where the path does not name it.
    const bool implied = std::ranges::find(path_.schemas, "pg_catalog") == path_.schemas.end();
    if (implied && in_schema("pg_catalog"))
        return found;
    for (const std::string& wanted : path_.schemas) {
        if (in_schema(wanted))
            break;
    }
    return found;
}

// Whether pg_catalog's functions and operators hide those of other schemas that take the same
// arguments: it comes first where the path does not name it.
bool Resolution::hides_own() const
{
    return path_.known && std::ranges::find(path_.schemas, "pg_catalog") == path_.schemas.end();
}

std::vector<const CatalogueFunction*> Resolution::functions(std::string_view schema,
                                                            std::string_view name,
                                                            std::size_t arguments) const
{
    std::vector<const CatalogueFunction*> found;
    if (!catalogue_)
        return found;
    for (const CatalogueFunction* function : catalogue_->functions_named(name)) {
        const bool visible =
            schema.empty() ? in_path(function->schema) && !(function->as_built_in && hides_own())
                           : function->schema == schema;
        const bool takes = arguments >= function->fewest_arguments &&
                           (function->variadic || arguments <= function->most_arguments);
        // An aggregate over an ordered set takes its arguments at two places.
        if (visible && (takes || function->kind == 'a'))
            found.push_back(function);
    }
    return found;
}

std::vector<const CatalogueFunction*> Resolution::functions_named(std::string_view schema,
                                                                  std::string_view name) const
{
    std::vector<const CatalogueFunction*> found;
    if (!catalogue_)
        return found;
    for (const CatalogueFunction* function : catalogue_->functions_named(name)) {
        if (schema.empty() ? in_path(function->schema) : function->schema == schema)
            found.push_back(function);
    }
    return found;
}

Resolution& Resolution::under(SearchPath path)
{
    const auto known = [&]() -> Resolution* {
        if (path == path_)
            return this;
        if (path == paths_->first->path_)
            return paths_->first;
        for (const auto& other : paths_->others) {
            if (other->path_ == path)
                return other.get();
        }
        return nullptr;
    };
    if (Resolution* same = known())
        return *same;
    // A function's SET search_path: a database has few different ones.
    constexpr std::size_t most_others = 64;
    if (paths_->others.size() == most_others) {
        path = SearchPath{{}, false};
        if (Resolution* same = known())
            return *same;
    }
    paths_->others.push_back(std::unique_ptr<Resolution>(new Resolution(*paths_, std::move(path))));
    return *paths_->others.back();
}

void Resolution::operators(std::string_view schema, std::string_view name,
                           std::vector<const CatalogueFunction*>& into) const
{
    if (!catalogue_)
        return;
    for (const CatalogueOperator* one : catalogue_->operators_named(name)) {
        if (schema.empty() ? !in_path(one->schema) || (one->as_built_in && hides_own())
                           : one->schema != schema)
            continue;
        if (const CatalogueFunction* function = catalogue_->function(one->function))
            into.push_back(function);
    }
}

bool Resolution::is_cast_unwritten(std::uint32_t type) const
{
    return std::ranges::any_of(unwritten_,
                               [type](const UnwrittenCast& cast) { return cast.type == type; });
}

void Resolution::casts_to(std::string_view schema, std::string_view type, Doings& into)
{
    if (!catalogue_)
        return;
    for (const CatalogueType* one : catalogue_->types_named(type)) {
        if (schema.empty() ? !in_path(one->schema) : one->schema != schema)
            continue;
        into.types.push_back(one->oid);
        for (const CatalogueCast& cast : catalogue_->casts()) {
            const CatalogueFunction* function =
                cast.target == one->oid ? catalogue_->function(cast.function) : nullptr;
            if (function != nullptr)
                into.calls.push_back(function);
        }
        value_of_type(one->oid, into, 0);
    }
}

std::string Resolution::creation_schema() const
{
    return path_.known && !path_.schemas.empty() ? path_.schemas.front() : "public";
}

std::string Resolution::relation_name(std::string_view schema, std::string_view name) const
{
    if (!schema.empty())
        return dotted(schema, name);
    const auto found = relations({}, name);
    if (!found.empty())
        return dotted(found.back()->schema, name);
    return dotted(is_catalogue_relation(name) ? "pg_catalog" : creation_schema(), name);
}

std::string Resolution::function_name(std::string_view schema, std::string_view name) const
{
    if (!schema.empty())
        return dotted(schema, name);
    if (catalogue_) {
        for (const CatalogueFunction* function : catalogue_->functions_named(name)) {
            if (in_path(function->schema))
                return dotted(function->schema, name);
        }
    }
    return dotted(creation_schema(), name);
}

bool Resolution::is_trusted(std::string_view schema, std::string_view name) const
{
    if (trusted_.empty())
        return false;
    if (!schema.empty())
        return std::ranges::find(trusted_, dotted(schema, name)) != trusted_.end();
    // Without a schema it is the trusted one only where nothing else can be meant.
    const auto found = catalogue_ ? catalogue_->functions_named(name)
                                  : std::span<const CatalogueFunction* const>();
    if (found.empty())
        return std::ranges::find(trusted_, dotted(creation_schema(), name)) != trusted_.end();
    return std::ranges::all_of(found, [&](const CatalogueFunction* function) {
        return !in_path(function->schema) || is_trusted(*function);
    });
}

bool Resolution::is_trusted(const CatalogueFunction& function) const
{
    return std::ranges::find(trusted_, dotted(function.schema, function.name)) != trusted_.end();
}

// CREATE FUNCTION ... SET search_path TO a, b: as set where the body runs. Where the body itself
// sets another, names behind it may mean anything.
Resolution& Resolution::names_in(const CreateFunctionStmt& one)
{
    for (const ListCell& cell : cells(one.options)) {
        const Node* set = as<DefElem>(node_of(cell)).arg;
        if (!is(set, T_VariableSetStmt) || view(as<VariableSetStmt>(set).name) != "search_path")
            continue;
        SearchPath path;
        path.known = as<VariableSetStmt>(set).kind == VAR_SET_VALUE;
        for (const ListCell& value : cells(as<VariableSetStmt>(set).args)) {
            const std::string_view schema = is(node_of(value), T_A_Const)
                                                ? string_of(&as<A_Const>(node_of(value)).val)
                                                : std::string_view();
            path.known = path.known && !schema.empty() && schema != "$user";
            if (schema != "pg_temp")
                path.schemas.emplace_back(schema);
        }
        return under(path.known ? std::move(path) : SearchPath{{}, false});
    }
    return *this;
}

const Doings& Resolution::doings(const CatalogueFunction& function)
{
    const auto known = memory_->of_functions.find(&function);
    if (known != memory_->of_functions.end())
        return known->second;
    const std::string name = dotted(function.schema, function.name);
    Doings made;
    if (is_trusted(function) || computes_alone(function)) {
        // Nothing that is not known.
    } else if (function.language == "c") {
        // dblink() and its like are known by name; of the rest nobody knows.
        const ClassSet classes = classes_of_function(function.schema, function.name, 1);
        for (std::size_t i = 0; i <= static_cast<std::size_t>(SqlClass::opaque); ++i) {
            if (classes.contains(i))
                made.actions.push_back({static_cast<std::uint8_t>(i), name,
                                        "call of " + name + "(), a function in a library"});
        }
    } else if (function.kind == 'a' || function.kind == 'w') {
        for (const std::uint32_t oid : function.support) {
            if (const CatalogueFunction* part = catalogue_->function(oid))
                made.calls.push_back(part);
        }
        if (function.kind == 'w')
            made = undecidable(name,
                               "call of " + name + "(), a window function in " + function.language);
    } else if (!function.definition.empty()) {
        const RawParse parsed(function.definition.c_str());
        const Node* statement = only_statement(parsed);
        if (is(statement, T_CreateFunctionStmt)) {
            TreeWalk walk(names_in(as<CreateFunctionStmt>(statement)));
            made = walk.doings(as<CreateFunctionStmt>(statement));
        } else {
            made = undecidable(name, "call of " + name + "(), whose definition cannot be read");
        }
        for (Action& action : made.actions)
            action.cause += " in " + name + "()";
    } else {
        made = undecidable(name, "call of " + name + "(), written in " + function.language);
    }
    return memory_->of_functions.emplace(&function, std::move(made)).first->second;
}

namespace {

bool fires_on(const std::string& rule, Use use)
{
    const RawParse parsed(rule.c_str());
    const Node* statement = only_statement(parsed);
    if (!is(statement, T_RuleStmt))
        return true;
    switch (as<RuleStmt>(statement).event) {
    case CMD_INSERT: return use == Use::insert;
    case CMD_UPDATE: return use == Use::update;
    case CMD_DELETE: return use == Use::delete_;
    default: return true;
    }
}

}  // namespace

// A value of a domain is checked, be it in a row or an array.
void Resolution::value_of_type(std::uint32_t oid, Doings& into, int depth)
{
    constexpr int deepest = 8;
    const CatalogueType* type = catalogue_ && depth < deepest ? catalogue_->type(oid) : nullptr;
    if (type == nullptr)
        return;
    for (const std::string& constraint : type->constraints) {
        const std::string text = "SELECT " + constraint;
        const RawParse parsed(text.c_str());
        TreeWalk walk(*this);
        const Doings check = walk.doings(parsed);
        into.calls.insert(into.calls.end(), check.calls.begin(), check.calls.end());
        into.actions.insert(into.actions.end(), check.actions.begin(), check.actions.end());
    }
    value_of_type(type->base, into, depth + 1);
    value_of_type(type->element, into, depth + 1);
    if (const CatalogueRelation* row = catalogue_->relation(type->relation)) {
        for (const CatalogueColumn& column : row->columns)
            value_of_type(column.type, into, depth + 1);
    }
}

const Doings& Resolution::doings(const RelationUse& use)
{
    const auto known = memory_->of_uses.find(use);
    if (known != memory_->of_uses.end())
        return known->second;
    const CatalogueRelation& relation = *use.relation;
    const std::string name = dotted(relation.schema, relation.name);
    Doings made;
    const auto read = [&](const std::string& text, std::string_view where, bool behind) {
        const RawParse parsed(text.c_str());
        const Node* statement = only_statement(parsed);
        TreeWalk walk(*this);
        Doings more =
            is(statement, T_RuleStmt) ? walk.doings(as<RuleStmt>(statement)) : walk.doings(parsed);
        if (!parsed.problem().empty())
            more = undecidable(name, "what " + name + " does cannot be read");
        for (Action& action : more.actions) {
            action.cause += " in " + std::string(where) + " " + name;
            action.behind =
                behind && action.action_class == static_cast<std::uint8_t>(SqlClass::select);
        }
        made.actions.insert(made.actions.end(), more.actions.begin(), more.actions.end());
        made.calls.insert(made.calls.end(), more.calls.begin(), more.calls.end());
        made.uses.insert(made.uses.end(), more.uses.begin(), more.uses.end());
    };
    if (!is_system(relation.schema)) {
        if (relation.is_view() && relation.oid != 0) {
            if (!relation.definition.empty() && (relation.kind == 'v' || use.use != Use::read))
                read(relation.definition, "view", true);
            else if (relation.kind == 'v')
                made = undecidable(name, "view " + name + " cannot be read");
            // What is written into a view is written into its table, where it has no rule or
            // trigger instead.
            if (use.use != Use::read && relation.kind == 'v') {
                const auto below = made.uses;
                for (const RelationUse& base : below) {
                    made.uses.push_back({base.relation, use.use});
                    // Which of its columns are which of the table's is not followed.
                    if (use.use == Use::update)
                        made.uses.push_back({base.relation, Use::key});
                }
            }
        }
        if (relation.kind == 'f')
            made.actions.push_back(
                {static_cast<std::uint8_t>(SqlClass::remote), name, "foreign table " + name});
        for (const std::string& expression : relation.policy_expressions)
            read("SELECT " + expression, "a policy of", true);
        // What is done to a table is done to its children and partitions.
        for (const CatalogueRelation* child : catalogue_->children(relation.oid))
            made.uses.push_back({child, use.use});
        follow_references(use, made);
        if (use.use == Use::insert || use.use == Use::update) {
            for (const CatalogueColumn& column : relation.columns)
                value_of_type(column.type, made, 0);
        }
        if (use.use != Use::read) {
            for (const std::string& rule : relation.rules) {
                if (fires_on(rule, use.use))
                    read(rule, "a rule of", false);
            }
            for (const CatalogueTrigger& trigger : relation.triggers) {
                if ((trigger.events & event_of(use.use)) == 0)
                    continue;
                if (!trigger.condition.empty())
                    read("SELECT " + trigger.condition, "a trigger of", true);
                if (const CatalogueFunction* function = catalogue_->function(trigger.function))
                    made.calls.push_back(function);
                else if (!is_harmless_function(trigger.function_name))
                    made.actions.push_back({static_cast<std::uint8_t>(SqlClass::opaque), name,
                                            "a trigger of " + name});
            }
        }
        if (use.use == Use::insert || use.use == Use::update) {
            for (const std::string& expression : relation.written_expressions)
                read("SELECT " + expression, "a definition of", true);
            // The next value of a table's own sequence is part of an INSERT.
            std::erase_if(made.actions, [](const Action& action) {
                return action.object == "pg_catalog.nextval";
            });
        }
    }
    return memory_->of_uses.emplace(use, std::move(made)).first->second;
}

namespace {

// What the foreign keys that refer to a table do when its rows are changed like this.
struct Followed {
    const CatalogueReference* reference;
    const CatalogueRelation* relation;
    Use use;
    bool changes_key = false;  // which others refer to in turn
};

std::vector<Followed> followed(const RelationUse& use, const Catalogue& catalogue)
{
    std::vector<Followed> all;
    if (use.use != Use::delete_ && use.use != Use::key)
        return all;
    for (const CatalogueReference& reference : use.relation->references) {
        const char action = use.use == Use::key ? reference.on_update : reference.on_delete;
        const CatalogueRelation* other = catalogue.relation(reference.relation);
        if (other == nullptr || action == 'a' || action == 'r')
            continue;
        const bool deletes = use.use == Use::delete_ && action == 'c';
        Followed one{&reference, other, deletes ? Use::delete_ : Use::update};
        for (const std::uint32_t attribute : reference.columns) {
            one.changes_key = one.changes_key ||
                              (!deletes && attribute >= 1 && attribute <= other->columns.size() &&
                               is_followed_key(*other, other->columns[attribute - 1].name));
        }
        all.push_back(one);
    }
    return all;
}

}  // namespace

void Resolution::follow_references(const RelationUse& use, Doings& into) const
{
    for (const Followed& one : followed(use, *catalogue_)) {
        const SqlClass what = one.use == Use::delete_ ? SqlClass::delete_ : SqlClass::update;
        const std::string name = dotted(one.relation->schema, one.relation->name);
        // As the table's owner wants it: a rule against it counts, a rule for it is not needed.
        into.actions.push_back(
            {static_cast<std::uint8_t>(what), name, "a foreign key of " + name, true});
        into.uses.push_back({one.relation, one.use});
        if (one.changes_key)
            into.uses.push_back({one.relation, Use::key});
    }
}

namespace {

// The types of the values that a statement may meet.
class Types {
public:
    // idle: nobody will ask.
    Types(const Catalogue& catalogue, bool idle) : catalogue_(catalogue), idle_(idle) {}

    // Those of pg_catalog are not told apart.
    void see(std::uint32_t type)
    {
        if (!idle_)
            next_.push_back(type);
        look();
    }

    void see(const CatalogueRelation& relation)
    {
        if (!idle_)
            add_row(relation);
        look();
    }

    bool seen(std::uint32_t type) const
    {
        const CatalogueType* known = catalogue_.type(type);
        return any_ || seen_.contains(type) ||
               (known != nullptr && known->relation != 0 && rows_.contains(known->relation));
    }

private:
    void add_row(const CatalogueRelation& relation)
    {
        if (!relations_.insert(&relation).second)
            return;
        rows_.insert(relation.oid);
        for (const CatalogueColumn& column : relation.columns) {
            // What the session has made may have columns of any type.
            any_ = any_ || (column.type == 0 && !column.name.empty());
            next_.push_back(column.type);
        }
    }

    // Types within types are as deep as somebody likes.
    void look()
    {
        while (!next_.empty()) {
            const std::uint32_t type = next_.back();
            next_.pop_back();
            const CatalogueType* known = catalogue_.type(type);
            if (known == nullptr || !seen_.insert(type).second)
                continue;
            next_.insert(next_.end(), {known->element, known->base});
            if (const CatalogueRelation* row = catalogue_.relation(known->relation))
                add_row(*row);
        }
    }

    const Catalogue& catalogue_;
    bool idle_;
    bool any_ = false;
    std::vector<std::uint32_t> next_;
    std::unordered_set<std::uint32_t> seen_;
    std::unordered_set<std::uint32_t> rows_;  // relations whose rows are values
    std::unordered_set<const CatalogueRelation*> relations_;
};

}  // namespace

void Resolution::follow(Doings& all)
{
    if (!catalogue_)
        return;
    std::unordered_set<const CatalogueFunction*> called;
    std::unordered_set<RelationUse, UseHash> used;
    std::vector<const CatalogueFunction*> calls = std::move(all.calls);
    std::vector<RelationUse> uses = std::move(all.uses);
    all.calls.clear();
    all.uses.clear();
    Types types(*catalogue_, unwritten_.empty());
    const auto take = [&](const Doings& more) {
        for (const std::uint32_t type : more.types)
            types.see(type);
        all.actions.insert(all.actions.end(), more.actions.begin(), more.actions.end());
        all.settings.insert(all.settings.end(), more.settings.begin(), more.settings.end());
        calls.insert(calls.end(), more.calls.begin(), more.calls.end());
        uses.insert(uses.end(), more.uses.begin(), more.uses.end());
    };
    for (const std::uint32_t type : all.types)
        types.see(type);
    // What is left to look at when nothing else is: casts between the values met.
    bool casts = !calls.empty() || !uses.empty();
    while (!calls.empty() || !uses.empty() || std::exchange(casts, false)) {
        if (called.size() + used.size() > most_followed) {
            all.actions.push_back({static_cast<std::uint8_t>(SqlClass::opaque),
                                   {},
                                   "more functions, views and triggers than are followed"});
            return;
        }
        if (!calls.empty()) {
            const CatalogueFunction* function = calls.back();
            calls.pop_back();
            if (!called.insert(function).second)
                continue;
            for (const std::uint32_t type : function->argument_types)
                types.see(type);
            types.see(function->result_type);
            take(doings(*function));
            continue;
        }
        if (!uses.empty()) {
            const RelationUse use = uses.back();
            uses.pop_back();
            if (!used.insert(use).second)
                continue;
            types.see(*use.relation);
            take(doings(use));
            continue;
        }
        for (const UnwrittenCast& cast : unwritten_) {
            if ((cast.type == 0 || types.seen(cast.type)) && !called.contains(cast.function))
                calls.push_back(cast.function);
        }
    }
}

const Sources& Resolution::behind(const CatalogueRelation& relation, std::size_t attribute)
{
    const Lineage& columns = columns_behind(relation);
    static const Sources unknown{untraced()};
    return attribute <= columns.outputs.size() ? columns.outputs[attribute - 1].sources : unknown;
}

bool Resolution::is_plain(const CatalogueRelation& relation, std::size_t attribute)
{
    const CatalogueColumn& column = relation.columns[attribute - 1];
    if (column.copied || !column.generated.empty())
        return false;
    if (!relation.is_view())
        return relation.oid != 0;
    if (is_system(relation.schema))
        return true;
    const Lineage& columns = columns_behind(relation);
    return attribute <= columns.outputs.size() && columns.outputs[attribute - 1].plain;
}

const Lineage& Resolution::columns_behind(const CatalogueRelation& relation)
{
    return paths_->lineages.of({this, &relation}, [&] { return read_columns(relation); });
}

// One output for each attribute.
Lineage Resolution::read_columns(const CatalogueRelation& relation)
{
    Lineage made;
    made.outputs.resize(relation.columns.size());
    if (relation.is_view() && relation.oid != 0 && !is_system(relation.schema)) {
        const RawParse parsed(relation.definition.c_str());
        Lineage query;
        if (const Node* statement = only_statement(parsed)) {
            LineageWalk walk(*this);
            query = walk.statement(statement);
        } else {
            add(query.values, untraced());
        }
        std::size_t output = 0;
        for (std::size_t i = 0; i < made.outputs.size(); ++i) {
            if (relation.columns[i].name.empty())
                continue;
            if (query.exact && output < query.outputs.size())
                made.outputs[i] = std::move(query.outputs[output++]);
            else
                made.outputs[i].sources = query.values;
        }
    }
    for (std::size_t i = 0; i < made.outputs.size(); ++i) {
        if (relation.columns[i].generated.empty())
            continue;
        const std::string text = "SELECT " + relation.columns[i].generated;
        const RawParse parsed(text.c_str());
        const Node* expression = only_output(only_statement(parsed));
        LineageWalk walk(*this);
        if (expression != nullptr)
            add(made.outputs[i].sources, walk.over(expression, relation));
        else
            add(made.outputs[i].sources, untraced());
    }
    return made;
}

const Lineage& Resolution::lineage(const CatalogueFunction& function)
{
    return paths_->lineages.of({this, &function}, [&] { return read_function(function); });
}

Lineage Resolution::read_function(const CatalogueFunction& function)
{
    Lineage made;
    if (is_trusted(function) || computes_alone(function)) {
        // Made of its arguments.
    } else if (function.kind == 'a') {
        for (const std::uint32_t oid : function.support) {
            const CatalogueFunction* part = catalogue_->function(oid);
            if (part == nullptr)
                continue;
            // A step of it has what the call was given.
            const Lineage& step = lineage(*part);
            add(made.values, step.values);
            add(made.sunk, step.sunk);
            if (!step.sink.empty())
                made.sink = step.sink;
            made.flows.add(step.flows);
            made.written.insert(made.written.end(), step.written.begin(), step.written.end());
        }
    } else if (!function.definition.empty()) {
        const RawParse parsed(function.definition.c_str());
        const Node* statement = only_statement(parsed);
        if (is(statement, T_CreateFunctionStmt)) {
            LineageWalk walk(names_in(as<CreateFunctionStmt>(statement)));
            made = walk.function(as<CreateFunctionStmt>(statement));
        } else {
            add(made.values, untraced());
        }
    } else {
        add(made.values, untraced());
    }
    return made;
}

void Resolution::set_off(std::vector<RelationUse> uses, Lineage& statement)
{
    std::unordered_set<RelationUse, UseHash> followed;
    uses.insert(uses.end(), statement.written.begin(), statement.written.end());
    while (!uses.empty()) {
        const RelationUse use = uses.back();
        uses.pop_back();
        if (use.use == Use::read || is_system(use.relation->schema) || !followed.insert(use).second)
            continue;
        // One address for each use of a relation.
        const void* const mark =
            reinterpret_cast<const char*>(use.relation) + static_cast<std::size_t>(use.use);
        const Lineage& more = paths_->lineages.of({this, mark}, [&] { return read_set_off(use); });
        add(statement.values, more.values);
        add(statement.unused, more.unused);
        add(statement.sunk, more.sunk);
        if (!more.sink.empty())
            statement.sink = more.sink;
        statement.flows.add(more.flows);
        statement.made.insert(statement.made.end(), more.made.begin(), more.made.end());
        uses.insert(uses.end(), more.written.begin(), more.written.end());
        statement.written.insert(statement.written.end(), more.written.begin(), more.written.end());
        // Written through a view, it is in the view's tables.
        if (use.relation->kind == 'v') {
            for (const RelationUse& below : doings(use).uses)
                uses.push_back(below);
        }
    }
    sort_unique(statement.written);
}

// What triggers, rules and definitions do by themselves where a relation is written.
Lineage Resolution::read_set_off(const RelationUse& use)
{
    Lineage made;
    const CatalogueRelation& relation = *use.relation;
    const auto take = [&](Lineage lineage) {
        add(made.values, lineage.values);
        add(made.unused, lineage.unused);
        add(made.unused, lineage.conditions);
        add(made.sunk, lineage.sunk);
        if (!lineage.sink.empty())
            made.sink = std::move(lineage.sink);
        made.flows.add(lineage.flows);
        std::ranges::move(lineage.made, std::back_inserter(made.made));
        made.written.insert(made.written.end(), lineage.written.begin(), lineage.written.end());
        sort_unique(made.written);
    };
    for (const std::string& rule : relation.rules) {
        const RawParse parsed(rule.c_str());
        const Node* statement = only_statement(parsed);
        if (!is(statement, T_RuleStmt))
            continue;
        for (const ListCell& cell : cells(as<RuleStmt>(statement).actions)) {
            LineageWalk walk(*this);
            take(walk.action(node_of(cell), relation));
        }
    }
    for (const CatalogueTrigger& trigger : relation.triggers) {
        const CatalogueFunction* function = catalogue_->function(trigger.function);
        if (function == nullptr || function->definition.empty() ||
            (trigger.events & event_of(use.use)) == 0)
            continue;
        const RawParse parsed(function->definition.c_str());
        const Node* statement = only_statement(parsed);
        if (!is(statement, T_CreateFunctionStmt))
            continue;
        LineageWalk walk(names_in(as<CreateFunctionStmt>(statement)));
        Lineage body = walk.trigger(as<CreateFunctionStmt>(statement), relation);
        // A trigger shows nothing; an error in it may.
        add(body.conditions, body.values);
        body.values.clear();
        take(std::move(body));
    }
    for (const Followed& one : followed(use, *catalogue_)) {
        made.written.push_back({one.relation, one.use});
        if (one.changes_key)
            made.written.push_back({one.relation, Use::key});
        const auto& columns = one.reference->columns;
        const auto& referenced = one.reference->referenced;
        for (std::size_t i = 0; i < columns.size() && i < referenced.size(); ++i) {
            const std::uint32_t to = columns[i] - 1;
            const std::uint32_t from = referenced[i] - 1;
            if (use.use == Use::key && to < one.relation->columns.size() &&
                from < relation.columns.size())
                made.flows.add({one.relation->schema,
                                one.relation->name,
                                one.relation->columns[to].name,
                                {&relation.columns[from]}});
        }
    }
    if (use.use != Use::insert && use.use != Use::update)
        return made;
    // A default or a generated column that calls a function brings what that reads.
    for (const std::string& expression : relation.written_expressions) {
        const std::string text = "SELECT " + expression;
        const RawParse parsed(text.c_str());
        const Node* value = only_output(only_statement(parsed));
        if (value == nullptr)
            continue;
        LineageWalk walk(*this);
        Sources brought = walk.over(value, relation);
        for (const CatalogueColumn& column : relation.columns)
            remove(brought, &column);
        for (const CatalogueColumn& column : relation.columns) {
            if (!brought.empty() && !column.name.empty())
                made.flows.add({relation.schema, relation.name, column.name, brought});
        }
    }
    return made;
}

}  // namespace sallyport::postgres
