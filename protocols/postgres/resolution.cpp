#include "protocols/postgres/resolution.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <unordered_set>

#include "protocols/postgres/derived_columns.h"
#include "protocols/postgres/function_classes.h"
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
constexpr std::size_t most_followed = 100'000;

// Bodies read for one set of names; those that call each other are read more than once.
constexpr std::size_t most_readings = 100'000;

// Functions, triggers and views that lead into each other, for values: what is behind more of them
// is not traced. Each may take as much stack as a deep statement.
constexpr std::size_t deepest_chain = 16;

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
           computes_only(function.extension);
}

std::uint16_t event_of(Use use)
{
    switch (use) {
    case Use::insert: return CatalogueTrigger::on_insert;
    case Use::update: return CatalogueTrigger::on_update;
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

struct Resolution::Behind {
    Sources sources;
    bool plain = false;
};

struct Resolution::Memory {
    struct UseHash {
        std::size_t operator()(const RelationUse& use) const
        {
            return std::hash<const void*>()(use.relation) * 31 + static_cast<std::size_t>(use.use);
        }
    };

    std::unordered_map<const CatalogueFunction*, Doings> of_functions;
    std::unordered_map<RelationUse, Doings, UseHash> of_uses;
    std::unordered_map<const CatalogueFunction*, Lineage> lineages;
    std::unordered_map<RelationUse, Lineage, UseHash> set_off;
    std::unordered_map<const CatalogueRelation*, std::vector<Behind>> behind;
    std::vector<std::unique_ptr<Resolution>> others;  // of other search paths

    // What is being read, and how deep: whoever meets one of these has less than the whole, and is
    // not kept unless it is that one itself.
    std::unordered_map<const void*, int> open;
    int met = std::numeric_limits<int>::max();  // the outermost of them that was met
    std::size_t readings = 0;
    std::deque<Lineage> parts;  // given, and not kept for the next time
    std::deque<std::vector<Behind>> too_deep;
};

// While something is being read. whole(): nothing further out was met on the way.
class Resolution::Opened {
public:
    Opened(Memory& memory, const void* mark)
        : memory_(memory), mark_(mark), depth_(static_cast<int>(memory.open.size()))
    {
        memory_.open.emplace(mark, depth_);
    }
    ~Opened()
    {
        memory_.open.erase(mark_);
        if (whole())
            memory_.met = std::numeric_limits<int>::max();
    }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

    bool whole() const { return memory_.met >= depth_; }

private:
    Memory& memory_;
    const void* mark_;
    int depth_;
};

Resolution::Resolution(std::shared_ptr<const Catalogue> catalogue,
                       std::vector<std::string> trusted_functions, SearchPath path,
                       std::vector<std::shared_ptr<const CatalogueRelation>> own)
    : catalogue_(std::move(catalogue)),
      trusted_(std::move(trusted_functions)),
      path_(std::move(path)),
      own_(std::move(own)),
      memory_(std::make_unique<Memory>())
{
    if (!catalogue_)
        return;
    for (const CatalogueCast& cast : catalogue_->casts()) {
        const CatalogueFunction* function = catalogue_->function(cast.function);
        const bool unwritten = cast.context != 'e' && function != nullptr;
        if (unwritten && !computes_only(function->extension))
            unwritten_.push_back(function);
    }
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

std::vector<const CatalogueFunction*> Resolution::functions(std::string_view schema,
                                                            std::string_view name,
                                                            std::size_t arguments) const
{
    std::vector<const CatalogueFunction*> found;
    if (!catalogue_)
        return found;
    for (const CatalogueFunction* function : catalogue_->functions_named(name)) {
        const bool visible =
            schema.empty() ? in_path(function->schema) : function->schema == schema;
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
    if (path == path_)
        return *this;
    for (const auto& other : memory_->others) {
        if (other->path_ == path)
            return *other;
    }
    // A function's SET search_path: a database has few different ones.
    constexpr std::size_t most_others = 64;
    if (memory_->others.size() == most_others)
        path = SearchPath{{}, false};
    memory_->others.push_back(
        std::make_unique<Resolution>(catalogue_, trusted_, std::move(path), own_));
    return *memory_->others.back();
}

void Resolution::operators(std::string_view schema, std::string_view name,
                           std::vector<const CatalogueFunction*>& into) const
{
    if (!catalogue_)
        return;
    for (const CatalogueOperator* one : catalogue_->operators_named(name)) {
        if (schema.empty() ? !in_path(one->schema) : one->schema != schema)
            continue;
        if (const CatalogueFunction* function = catalogue_->function(one->function))
            into.push_back(function);
    }
}

void Resolution::casts_to(std::string_view schema, std::string_view type, Doings& into)
{
    if (!catalogue_)
        return;
    for (const CatalogueType* one : catalogue_->types_named(type)) {
        if (schema.empty() ? !in_path(one->schema) : one->schema != schema)
            continue;
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
                for (const RelationUse& base : below)
                    made.uses.push_back({base.relation, use.use});
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

void Resolution::follow(Doings& all)
{
    if (!catalogue_)
        return;
    std::unordered_set<const CatalogueFunction*> called;
    std::unordered_set<RelationUse, Memory::UseHash> used;
    std::vector<const CatalogueFunction*> calls = std::move(all.calls);
    std::vector<RelationUse> uses = std::move(all.uses);
    all.calls.clear();
    all.uses.clear();
    if (!calls.empty() || !uses.empty())
        calls.insert(calls.end(), unwritten_.begin(), unwritten_.end());
    const auto take = [&](const Doings& more) {
        all.actions.insert(all.actions.end(), more.actions.begin(), more.actions.end());
        all.settings.insert(all.settings.end(), more.settings.begin(), more.settings.end());
        calls.insert(calls.end(), more.calls.begin(), more.calls.end());
        uses.insert(uses.end(), more.uses.begin(), more.uses.end());
    };
    while (!calls.empty() || !uses.empty()) {
        if (called.size() + used.size() > most_followed) {
            all.actions.push_back({static_cast<std::uint8_t>(SqlClass::opaque),
                                   {},
                                   "more functions, views and triggers than are followed"});
            return;
        }
        if (!calls.empty()) {
            const CatalogueFunction* function = calls.back();
            calls.pop_back();
            if (called.insert(function).second)
                take(doings(*function));
            continue;
        }
        const RelationUse use = uses.back();
        uses.pop_back();
        if (used.insert(use).second)
            take(doings(use));
    }
}

const Sources& Resolution::behind(const CatalogueRelation& relation, std::size_t attribute)
{
    return known_behind(relation)[attribute - 1].sources;
}

bool Resolution::is_plain(const CatalogueRelation& relation, std::size_t attribute)
{
    const CatalogueColumn& column = relation.columns[attribute - 1];
    if (column.copied || !column.generated.empty())
        return false;
    if (!relation.is_view())
        return relation.oid != 0;
    return is_system(relation.schema) || known_behind(relation)[attribute - 1].plain;
}

std::vector<Resolution::Behind>& Resolution::known_behind(const CatalogueRelation& relation)
{
    const auto known = memory_->behind.find(&relation);
    if (known != memory_->behind.end())
        return known->second;
    std::vector<Behind> made(relation.columns.size());
    if (memory_->open.size() >= deepest_chain) {
        for (Behind& column : made)
            add(column.sources, untraced());
        return memory_->too_deep.emplace_back(std::move(made));
    }
    // Entered first: a view that leads back to itself ends there.
    memory_->behind.emplace(&relation, made);
    const Opened opened(*memory_, &relation.definition);
    if (relation.is_view() && relation.oid != 0 && !is_system(relation.schema)) {
        const RawParse parsed(relation.definition.c_str());
        const Node* query = only_statement(parsed);
        if (query == nullptr) {
            for (Behind& column : made)
                add(column.sources, untraced());
        } else {
            LineageWalk walk(*this);
            const Lineage lineage = walk.statement(query);
            std::size_t output = 0;
            for (std::size_t i = 0; i < made.size(); ++i) {
                if (relation.columns[i].name.empty())
                    continue;
                if (lineage.exact && output < lineage.outputs.size()) {
                    made[i] = {lineage.outputs[output].sources, lineage.outputs[output].plain};
                    ++output;
                } else {
                    made[i].sources = lineage.values;
                }
            }
        }
    }
    for (std::size_t i = 0; i < made.size(); ++i) {
        if (relation.columns[i].generated.empty())
            continue;
        const std::string text = "SELECT " + relation.columns[i].generated;
        const RawParse parsed(text.c_str());
        const Node* expression = only_output(only_statement(parsed));
        LineageWalk walk(*this);
        if (expression != nullptr)
            add(made[i].sources, walk.over(expression, relation));
        else
            add(made[i].sources, untraced());
    }
    if (!opened.whole()) {
        memory_->behind.erase(&relation);
        return memory_->too_deep.emplace_back(std::move(made));
    }
    return memory_->behind.insert_or_assign(&relation, std::move(made)).first->second;
}

const Lineage& Resolution::lineage(const CatalogueFunction& function)
{
    const auto known = memory_->lineages.find(&function);
    if (known != memory_->lineages.end())
        return known->second;
    static const Lineage nothing;
    static const Lineage anything = [] {
        Lineage lineage;
        add(lineage.values, untraced());
        return lineage;
    }();
    if (const auto open = memory_->open.find(&function); open != memory_->open.end()) {
        memory_->met = std::min(memory_->met, open->second);
        return nothing;
    }
    if (memory_->open.size() >= deepest_chain || ++memory_->readings > most_readings)
        return anything;
    const Opened opened(*memory_, &function);
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
            made.flows.insert(made.flows.end(), step.flows.begin(), step.flows.end());
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
    if (!opened.whole())
        return memory_->parts.emplace_back(std::move(made));
    return memory_->lineages.insert_or_assign(&function, std::move(made)).first->second;
}

const Lineage& Resolution::set_off(const RelationUse& use)
{
    const auto known = memory_->set_off.find(use);
    if (known != memory_->set_off.end())
        return known->second;
    static const Lineage nothing;
    // One address for each use of a relation.
    const void* const mark =
        reinterpret_cast<const char*>(use.relation) + static_cast<std::size_t>(use.use);
    if (const auto open = memory_->open.find(mark); open != memory_->open.end()) {
        memory_->met = std::min(memory_->met, open->second);
        return nothing;
    }
    if (memory_->open.size() >= deepest_chain || ++memory_->readings > most_readings) {
        Lineage lineage;
        add(lineage.sunk, untraced());
        lineage.sink = "more triggers than are followed";
        return memory_->parts.emplace_back(std::move(lineage));
    }
    const Opened opened(*memory_, mark);
    Lineage made;
    const CatalogueRelation& relation = *use.relation;
    const auto take = [&](Lineage lineage) {
        add(made.values, lineage.values);
        add(made.unused, lineage.conditions);
        add(made.sunk, lineage.sunk);
        if (!lineage.sink.empty())
            made.sink = lineage.sink;
        std::ranges::move(lineage.flows, std::back_inserter(made.flows));
        std::ranges::move(lineage.made, std::back_inserter(made.made));
        for (const CatalogueRelation* written : lineage.written) {
            for (const Use next : {Use::insert, Use::update}) {
                const Lineage& more = set_off({written, next});
                made.flows.insert(made.flows.end(), more.flows.begin(), more.flows.end());
            }
        }
    };
    if (!is_system(relation.schema) && use.use != Use::read) {
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
        // A default or a generated column that calls a function brings what that reads.
        for (const std::string& expression : relation.written_expressions) {
            const std::string text = "SELECT " + expression;
            const RawParse parsed(text.c_str());
            const Node* value = only_output(only_statement(parsed));
            if (value == nullptr)
                continue;
            LineageWalk walk(*this);
            Sources brought = walk.over(value, relation);
            std::erase_if(brought, [&](const CatalogueColumn* column) {
                return column >= relation.columns.data() &&
                       column < relation.columns.data() + relation.columns.size();
            });
            for (const CatalogueColumn& column : relation.columns) {
                if (!brought.empty() && !column.name.empty())
                    made.flows.push_back({relation.schema, relation.name, column.name, brought});
            }
        }
        // Written through a view, it is in the view's tables.
        if (relation.kind == 'v') {
            for (const RelationUse& below : doings(use).uses) {
                if (below.use == Use::read)
                    continue;
                const Lineage& more = set_off(below);
                made.flows.insert(made.flows.end(), more.flows.begin(), more.flows.end());
            }
        }
    }
    if (!opened.whole())
        return memory_->parts.emplace_back(std::move(made));
    return memory_->set_off.insert_or_assign(use, std::move(made)).first->second;
}

}  // namespace sallyport::postgres
