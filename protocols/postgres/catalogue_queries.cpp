#include "protocols/postgres/catalogue_queries.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sallyport::postgres {

namespace {

constexpr std::size_t attribute_limit = 1664;  // MaxTupleAttributeNumber
constexpr std::string_view longest_definition = "1048576";

// Under the role's own search path, where an operator or a function of somebody's could stand
// before pg_catalog's; everything behind it is read under an empty one, for then every name in a
// definition is qualified. Definitions may be waited for this long where somebody locks something
// while they are read.
constexpr std::string_view preparation =
    "SELECT s FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) AS s;"
    "SET search_path TO '';"
    "SET default_transaction_isolation TO 'repeatable read';"
    "SET lock_timeout TO '200ms'; SET statement_timeout TO '20s';"
    "SET jit TO off; SET max_parallel_workers_per_gather TO 0; SET synchronize_seqscans TO off";

constexpr std::string_view structure =
    "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\\_toast%' ORDER BY 1;"

    "SELECT c.oid, n.nspname, c.relname, c.relkind, s.srvname"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_catalog.pg_foreign_table f ON f.ftrelid = c.oid"
    " LEFT JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver"
    " WHERE c.relkind IN ('r','v','m','f','p','S','c') ORDER BY c.oid;"

    "SELECT a.attrelid, a.attnum, a.attname, a.atttypid"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    " WHERE a.attnum > 0 AND NOT a.attisdropped"
    " AND c.relkind IN ('r','v','m','f','p','S','c');"

    "SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits ORDER BY inhrelid, inhseqno;"

    "SELECT confrelid, conrelid, confupdtype, confdeltype,"
    " pg_catalog.array_to_string(conkey, ' '), pg_catalog.array_to_string(confkey, ' ')"
    " FROM pg_catalog.pg_constraint WHERE contype = 'f' ORDER BY oid;"

    // A trigger of a partitioned table is on its partitions too, as an internal one before
    // version 15.
    "SELECT t.oid, t.tgrelid, t.tgfoid, t.tgtype, t.tgqual IS NOT NULL,"
    " CASE WHEN p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace THEN p.proname ELSE '' END"
    " FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid"
    " WHERE t.tgenabled <> 'D' AND (NOT t.tgisinternal OR t.tgparentid <> 0"
    " AND p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace) ORDER BY t.oid;"

    "SELECT p.oid, n.nspname, p.proname, p.prokind, l.lanname, p.pronargs, p.pronargdefaults,"
    " p.provariadic <> 0, p.proargtypes, p.prorettype, p.proretset, p.proargmodes, p.proargnames,"
    " e.extname, EXISTS (SELECT FROM pg_catalog.pg_proc b WHERE b.proname = p.proname"
    " AND b.proargtypes = p.proargtypes"
    " AND b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace)"
    " FROM pg_catalog.pg_proc p"
    " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " JOIN pg_catalog.pg_language l ON l.oid = p.prolang"
    " LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass"
    " AND d.objid = p.oid AND d.deptype = 'e'"
    " AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass"
    " LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid"
    " WHERE n.nspname NOT IN ('pg_catalog','information_schema') ORDER BY p.oid;"

    "SELECT a.aggfnoid::pg_catalog.oid, a.aggtransfn::pg_catalog.oid,"
    " a.aggfinalfn::pg_catalog.oid, a.aggcombinefn::pg_catalog.oid,"
    " a.aggserialfn::pg_catalog.oid, a.aggdeserialfn::pg_catalog.oid,"
    " a.aggmtransfn::pg_catalog.oid, a.aggminvtransfn::pg_catalog.oid,"
    " a.aggmfinalfn::pg_catalog.oid"
    " FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname NOT IN ('pg_catalog','information_schema');"

    "SELECT n.nspname, o.oprname, o.oprcode::pg_catalog.oid,"
    " EXISTS (SELECT FROM pg_catalog.pg_operator b WHERE b.oprname = o.oprname"
    " AND b.oprleft = o.oprleft AND b.oprright = o.oprright"
    " AND b.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace)"
    " FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace"
    " WHERE n.nspname NOT IN ('pg_catalog','information_schema') ORDER BY o.oid;"

    "SELECT c.castsource, c.casttarget, c.castfunc, c.castcontext"
    " FROM pg_catalog.pg_cast c JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc"
    " WHERE p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace ORDER BY c.oid;"

    "SELECT t.oid, n.nspname, t.typname, t.typtype,"
    " CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END, t.typbasetype, t.typrelid,"
    " t.typcategory"
    " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
    " WHERE n.nspname NOT IN ('pg_catalog','information_schema') AND n.nspname NOT LIKE"
    " 'pg\\_toast%' ORDER BY t.oid";

// Relations that somebody has locked against everyone.
constexpr std::string_view locked =
    "WITH locked AS MATERIALIZED (SELECT DISTINCT k.relation FROM pg_catalog.pg_locks k"
    " WHERE k.locktype = 'relation' AND k.mode = 'AccessExclusiveLock' AND k.database ="
    " (SELECT d.oid FROM pg_catalog.pg_database d"
    " WHERE d.datname = pg_catalog.current_database()))";

// Objects of one system catalogue that depend on them.
std::string dependent_on_locked(const std::string& catalogue)
{
    return "(SELECT d.objid FROM pg_catalog.pg_depend d"
           " JOIN locked ON locked.relation = d.refobjid"
           " WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass"
           " AND d.classid = 'pg_catalog." +
           catalogue + "'::pg_catalog.regclass)";
}

// A call that gives a definition, as x.text: where it is free and not too long; x.free tells the
// first of these.
std::string definition_of(const std::string& call, const std::string& free)
{
    return " CROSS JOIN LATERAL (SELECT CASE WHEN pg_catalog.octet_length(y.text) <= " +
           std::string(longest_definition) +
           " THEN y.text END AS text, y.free FROM (SELECT CASE"
           " WHEN " +
           free + " THEN " + call + " END AS text, " + free + " AS free OFFSET 0) y) x ";
}

CatalogueQuery definitions(std::string (*text)(bool readable))
{
    return {std::string(locked) + text(true), std::string(locked) + text(false), 1};
}

std::string call(bool readable, const std::string& function_and_arguments)
{
    return readable ? "pg_catalog." + function_and_arguments : "NULL::pg_catalog.text";
}

constexpr const char* outside_system =
    " NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace n"
    " WHERE n.nspname IN ('pg_catalog','information_schema'))";

std::string view_definitions(bool readable)
{
    return "SELECT c.oid, x.text, x.free FROM pg_catalog.pg_class c"
           " JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'" +
           definition_of(call(readable, "pg_get_viewdef(c.oid)"),
                         "c.oid NOT IN (SELECT relation FROM locked) AND r.oid NOT IN " +
                             dependent_on_locked("pg_rewrite")) +
           "WHERE c.relkind IN ('v','m') AND c.relnamespace" + outside_system + " ORDER BY c.oid";
}

std::string rules(bool readable)
{
    return "SELECT r.ev_class, x.text, x.free FROM pg_catalog.pg_rewrite r"
           " JOIN pg_catalog.pg_class c ON c.oid = r.ev_class" +
           definition_of(call(readable, "pg_get_ruledef(r.oid)"),
                         "r.ev_class NOT IN (SELECT relation FROM locked) AND r.oid NOT IN " +
                             dependent_on_locked("pg_rewrite")) +
           "WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'D' AND c.relnamespace" +
           outside_system + " ORDER BY r.oid";
}

std::string written_expressions(bool readable)
{
    // The relation, the column that is generated by it, the expression.
    const auto part = [readable](const std::string& relation, const std::string& attribute,
                                 const std::string& arguments, const std::string& free,
                                 const std::string& from) {
        return "SELECT " + relation + ", " + attribute + ", x.text, x.free FROM " + from +
               definition_of(call(readable, "pg_get_expr(" + arguments + ")"),
                             "(" + free + relation + " NOT IN (SELECT relation FROM locked))");
    };
    // Most defaults are constants, which run nothing and tell nothing. The others, but for
    // generated columns, name no column: the server reads them without opening their table.
    return part("a.adrelid", "CASE WHEN c.attgenerated = '' THEN 0 ELSE a.adnum END",
                "a.adbin, CASE WHEN c.attgenerated = '' THEN 0 ELSE a.adrelid END",
                "c.attgenerated = '' OR ",
                "pg_catalog.pg_attrdef a JOIN pg_catalog.pg_attribute c"
                " ON c.attrelid = a.adrelid AND c.attnum = a.adnum") +
           "WHERE c.attgenerated <> '' OR a.adbin::pg_catalog.text NOT LIKE '{CONST %'"
           " UNION ALL " +
           part("k.conrelid", "0", "k.conbin, k.conrelid", "", "pg_catalog.pg_constraint k") +
           "WHERE k.contype = 'c' AND k.conrelid <> 0 UNION ALL " +
           part("i.indrelid", "0", "i.indexprs, i.indrelid", "", "pg_catalog.pg_index i") +
           "WHERE i.indexprs IS NOT NULL UNION ALL " +
           part("j.indrelid", "0", "j.indpred, j.indrelid", "", "pg_catalog.pg_index j") +
           "WHERE j.indpred IS NOT NULL UNION ALL " +
           part("p.partrelid", "0", "p.partexprs, p.partrelid", "",
                "pg_catalog.pg_partitioned_table p") +
           "WHERE p.partexprs IS NOT NULL";
}

std::string policies(bool readable)
{
    const auto part = [readable](const std::string& tree) {
        return "SELECT p.polrelid, x.text, x.free FROM pg_catalog.pg_policy p"
               " JOIN pg_catalog.pg_class c ON c.oid = p.polrelid AND c.relrowsecurity" +
               definition_of(call(readable, "pg_get_expr(p." + tree + ", p.polrelid)"),
                             "p.polrelid NOT IN (SELECT relation FROM locked) AND p.oid NOT IN " +
                                 dependent_on_locked("pg_policy")) +
               "WHERE p." + tree + " IS NOT NULL";
    };
    return part("polqual") + " UNION ALL " + part("polwithcheck");
}

std::string trigger_conditions(bool readable)
{
    return "SELECT t.oid, x.text, x.free FROM pg_catalog.pg_trigger t" +
           definition_of(call(readable, "pg_get_triggerdef(t.oid)"),
                         "t.tgrelid NOT IN (SELECT relation FROM locked)") +
           "WHERE t.tgqual IS NOT NULL ORDER BY t.oid";
}

std::string function_definitions(bool readable)
{
    return "SELECT p.oid, x.text, x.free FROM pg_catalog.pg_proc p"
           " JOIN pg_catalog.pg_language l ON l.oid = p.prolang" +
           definition_of(call(readable, "pg_get_functiondef(p.oid)"),
                         "p.oid NOT IN " + dependent_on_locked("pg_proc")) +
           "WHERE p.prokind IN ('f','p') AND l.lanname IN ('sql','plpgsql') AND p.pronamespace" +
           outside_system + " ORDER BY p.oid";
}

std::string type_constraints(bool readable)
{
    return "SELECT k.contypid, x.text, x.free FROM pg_catalog.pg_constraint k" +
           definition_of(call(readable, "pg_get_expr(k.conbin, 0)"), "true") +
           "WHERE k.contypid <> 0 AND k.conbin IS NOT NULL UNION ALL"
           " SELECT t.oid, x.text, x.free FROM pg_catalog.pg_type t" +
           definition_of(call(readable, "pg_get_expr(t.typdefaultbin, 0)"), "true") +
           "WHERE t.typtype = 'd' AND t.typdefaultbin IS NOT NULL";
}

template <class Number>
Number number_of(const std::optional<std::string_view>& text)
{
    Number value{};
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

bool truth_of(const std::optional<std::string_view>& text)
{
    return text == "t";
}

std::string text_of(const std::optional<std::string_view>& text)
{
    return text ? std::string(*text) : std::string();
}

char letter_of(const std::optional<std::string_view>& text)
{
    return text && !text->empty() ? text->front() : ' ';
}

// An array of texts in its external form, one dimension, no NULLs.
std::vector<std::string> elements_of(std::string_view array)
{
    std::vector<std::string> elements;
    if (!array.starts_with('{') || !array.ends_with('}') || array == "{}")
        return elements;
    array = array.substr(1, array.size() - 2);
    elements.emplace_back();
    bool quoted = false;
    for (std::size_t i = 0; i < array.size(); ++i) {
        if (array[i] == '\\' && i + 1 < array.size())
            elements.back() += array[++i];
        else if (array[i] == '"')
            quoted = !quoted;
        else if (array[i] == ',' && !quoted)
            elements.emplace_back();
        else
            elements.back() += array[i];
    }
    return elements;
}

// Of an oidvector, or of attribute numbers.
std::vector<std::uint32_t> oids_of(std::string_view vector)
{
    std::vector<std::uint32_t> oids;
    while (!vector.empty()) {
        const std::size_t end = std::min(vector.find(' '), vector.size());
        oids.push_back(number_of<std::uint32_t>(vector.substr(0, end)));
        vector.remove_prefix(std::min(end + 1, vector.size()));
    }
    return oids;
}

// What stands between quotes ends where they do: a quote in it is doubled, and so is a backslash in
// the only kind of literal where it means anything, E''.
std::size_t behind_quotes(std::string_view sql, std::size_t at)
{
    const std::size_t end = sql.find(sql[at], at + 1);
    return end == std::string_view::npos ? sql.size() : end + 1;
}

// The condition in a definition as pg_get_triggerdef() gives it. WHEN is a reserved word, so that
// no name is written like it without quotes.
std::string condition_in(std::string_view trigger)
{
    constexpr std::string_view introduction = " WHEN (";
    std::size_t begin = 0;
    while (begin < trigger.size() && !trigger.substr(begin).starts_with(introduction))
        begin = trigger[begin] == '"' ? behind_quotes(trigger, begin) : begin + 1;
    begin = std::min(begin + introduction.size(), trigger.size());
    std::size_t depth = 1;
    for (std::size_t end = begin; end < trigger.size();) {
        const char letter = trigger[end];
        if (letter == '"' || letter == '\'') {
            end = behind_quotes(trigger, end);
            continue;
        }
        depth += letter == '(' ? 1U : 0U;
        depth -= letter == ')' ? 1U : 0U;
        if (depth == 0)
            return std::string(trigger.substr(begin, end - begin));
        ++end;
    }
    return std::string(unreadable_text);
}

}  // namespace

std::span<const CatalogueQuery> catalogue_queries()
{
    static const std::array<CatalogueQuery, 9> queries = {
        CatalogueQuery{std::string(preparation), "", 1},
        CatalogueQuery{std::string(structure), "", 11},
        definitions(view_definitions),
        definitions(rules),
        definitions(written_expressions),
        definitions(policies),
        definitions(trigger_conditions),
        definitions(function_definitions),
        definitions(type_constraints),
    };
    return queries;
}

void CatalogueDraft::take(std::size_t result, const Row& row)
{
    struct Set {
        std::size_t columns;
        void (CatalogueDraft::*add)(const Row&);
    };
    static constexpr std::array<Set, 19> sets = {{
        {1, &CatalogueDraft::add_search_path},
        {1, &CatalogueDraft::add_schema},
        {5, &CatalogueDraft::add_relation},
        {4, &CatalogueDraft::add_column},
        {2, &CatalogueDraft::add_parent},
        {6, &CatalogueDraft::add_reference},
        {6, &CatalogueDraft::add_trigger},
        {15, &CatalogueDraft::add_function},
        {9, &CatalogueDraft::add_aggregate},
        {4, &CatalogueDraft::add_operator},
        {4, &CatalogueDraft::add_cast},
        {8, &CatalogueDraft::add_type},
        {3, &CatalogueDraft::add_view_definition},
        {3, &CatalogueDraft::add_rule},
        {4, &CatalogueDraft::add_written_expression},
        {3, &CatalogueDraft::add_policy},
        {3, &CatalogueDraft::add_trigger_condition},
        {3, &CatalogueDraft::add_function_definition},
        {3, &CatalogueDraft::add_type_constraint},
    }};
    if (result < sets.size() && row.size() == sets.at(result).columns)
        (this->*sets.at(result).add)(row);
}

CatalogueParts CatalogueDraft::finish()
{
    return std::move(parts_);
}

void CatalogueDraft::add_search_path(const Row& row)
{
    parts_.search_path.push_back(text_of(row[0]));
}

void CatalogueDraft::add_schema(const Row& row)
{
    parts_.schemas.push_back(text_of(row[0]));
}

void CatalogueDraft::add_relation(const Row& row)
{
    CatalogueRelation made;
    made.oid = number_of<std::uint32_t>(row[0]);
    made.schema = text_of(row[1]);
    made.name = text_of(row[2]);
    made.kind = letter_of(row[3]);
    made.server = text_of(row[4]);
    relations_.emplace(made.oid, parts_.relations.size());
    parts_.relations.push_back(std::move(made));
}

void CatalogueDraft::add_column(const Row& row)
{
    CatalogueRelation* of = relation(number_of<std::uint32_t>(row[0]));
    const auto attribute = number_of<std::size_t>(row[1]);
    if (of == nullptr || attribute < 1 || attribute > attribute_limit)
        return;
    if (of->columns.size() < attribute)
        of->columns.resize(attribute);
    CatalogueColumn& column = of->columns[attribute - 1];
    column.name = text_of(row[2]);
    column.type = number_of<std::uint32_t>(row[3]);
}

void CatalogueDraft::add_parent(const Row& row)
{
    if (CatalogueRelation* child = relation(number_of<std::uint32_t>(row[0])))
        child->parents.push_back(number_of<std::uint32_t>(row[1]));
}

void CatalogueDraft::add_reference(const Row& row)
{
    CatalogueRelation* to = relation(number_of<std::uint32_t>(row[0]));
    if (to == nullptr)
        return;
    CatalogueReference made;
    made.relation = number_of<std::uint32_t>(row[1]);
    made.on_update = letter_of(row[2]);
    made.on_delete = letter_of(row[3]);
    made.columns = oids_of(row[4].value_or(""));
    made.referenced = oids_of(row[5].value_or(""));
    to->references.push_back(std::move(made));
}

void CatalogueDraft::add_trigger(const Row& row)
{
    CatalogueRelation* on = relation(number_of<std::uint32_t>(row[1]));
    if (on == nullptr)
        return;
    CatalogueTrigger made;
    made.function = number_of<std::uint32_t>(row[2]);
    made.events = number_of<std::uint16_t>(row[3]);
    made.function_name = text_of(row[5]);
    if (truth_of(row[4])) {
        made.condition = unreadable_text;
        triggers_[number_of<std::uint32_t>(row[0])] = {on->oid, on->triggers.size()};
    }
    on->triggers.push_back(std::move(made));
}

void CatalogueDraft::add_function(const Row& row)
{
    CatalogueFunction made;
    made.oid = number_of<std::uint32_t>(row[0]);
    made.schema = text_of(row[1]);
    made.name = text_of(row[2]);
    made.kind = letter_of(row[3]);
    made.language = text_of(row[4]);
    made.most_arguments = number_of<std::uint16_t>(row[5]);
    const auto defaults = number_of<std::uint16_t>(row[6]);
    made.fewest_arguments =
        static_cast<std::uint16_t>(made.most_arguments - std::min(defaults, made.most_arguments));
    made.variadic = truth_of(row[7]);
    made.argument_types = oids_of(row[8].value_or(""));
    made.result_type = number_of<std::uint32_t>(row[9]);
    made.returns_set = truth_of(row[10]);
    const auto modes = elements_of(row[11].value_or(""));
    const auto names = elements_of(row[12].value_or(""));
    for (std::size_t i = 0; i < modes.size(); ++i) {
        if (modes[i] != "o" && modes[i] != "b" && modes[i] != "t")
            continue;
        std::string name = i < names.size() ? names[i] : "";
        // As the server names it.
        if (name.empty())
            name = "column" + std::to_string(made.result_columns.size() + 1);
        made.result_columns.push_back(std::move(name));
    }
    made.extension = text_of(row[13]);
    made.as_built_in = truth_of(row[14]);
    functions_.emplace(made.oid, parts_.functions.size());
    parts_.functions.push_back(std::move(made));
}

void CatalogueDraft::add_aggregate(const Row& row)
{
    CatalogueFunction* aggregate = function(number_of<std::uint32_t>(row[0]));
    if (aggregate == nullptr)
        return;
    for (std::size_t i = 1; i < row.size(); ++i)
        if (const auto support = number_of<std::uint32_t>(row[i]); support != 0)
            aggregate->support.push_back(support);
}

void CatalogueDraft::add_operator(const Row& row)
{
    parts_.operators.push_back(
        {text_of(row[0]), text_of(row[1]), number_of<std::uint32_t>(row[2]), truth_of(row[3])});
}

void CatalogueDraft::add_cast(const Row& row)
{
    parts_.casts.push_back({number_of<std::uint32_t>(row[0]), number_of<std::uint32_t>(row[1]),
                            number_of<std::uint32_t>(row[2]), letter_of(row[3])});
}

void CatalogueDraft::add_type(const Row& row)
{
    CatalogueType made;
    made.oid = number_of<std::uint32_t>(row[0]);
    made.schema = text_of(row[1]);
    made.name = text_of(row[2]);
    made.kind = letter_of(row[3]);
    made.element = number_of<std::uint32_t>(row[4]);
    made.base = number_of<std::uint32_t>(row[5]);
    made.relation = number_of<std::uint32_t>(row[6]);
    made.category = letter_of(row[7]);
    types_.emplace(made.oid, parts_.types.size());
    parts_.types.push_back(std::move(made));
}

void CatalogueDraft::add_view_definition(const Row& row)
{
    if (CatalogueRelation* view = relation(number_of<std::uint32_t>(row[0])))
        view->definition = definition(row, 1);
}

void CatalogueDraft::add_rule(const Row& row)
{
    if (CatalogueRelation* on = relation(number_of<std::uint32_t>(row[0])))
        on->rules.push_back(expression(row, 1));
}

void CatalogueDraft::add_written_expression(const Row& row)
{
    CatalogueRelation* on = relation(number_of<std::uint32_t>(row[0]));
    if (on == nullptr)
        return;
    on->written_expressions.push_back(expression(row, 2));
    const auto generated = number_of<std::size_t>(row[1]);
    if (generated >= 1 && generated <= on->columns.size())
        on->columns[generated - 1].generated = on->written_expressions.back();
}

void CatalogueDraft::add_policy(const Row& row)
{
    if (CatalogueRelation* on = relation(number_of<std::uint32_t>(row[0])))
        on->policy_expressions.push_back(expression(row, 1));
}

void CatalogueDraft::add_trigger_condition(const Row& row)
{
    const auto found = triggers_.find(number_of<std::uint32_t>(row[0]));
    const std::string whole = definition(row, 1);
    if (found == triggers_.end() || whole.empty())
        return;
    const auto [on, position] = found->second;
    relation(on)->triggers[position].condition = condition_in(whole);
}

void CatalogueDraft::add_function_definition(const Row& row)
{
    if (CatalogueFunction* of = function(number_of<std::uint32_t>(row[0])))
        of->definition = definition(row, 1);
}

void CatalogueDraft::add_type_constraint(const Row& row)
{
    const auto found = types_.find(number_of<std::uint32_t>(row[0]));
    if (found != types_.end())
        parts_.types[found->second].constraints.push_back(expression(row, 1));
}

CatalogueRelation* CatalogueDraft::relation(std::uint32_t oid)
{
    const auto found = relations_.find(oid);
    return found == relations_.end() ? nullptr : &parts_.relations[found->second];
}

CatalogueFunction* CatalogueDraft::function(std::uint32_t oid)
{
    const auto found = functions_.find(oid);
    return found == functions_.end() ? nullptr : &parts_.functions[found->second];
}

// Empty where there is none; whether it was locked stands behind it.
std::string CatalogueDraft::definition(const Row& row, std::size_t at)
{
    complete_ = complete_ && truth_of(row[at + 1]);
    return text_of(row[at]);
}

std::string CatalogueDraft::expression(const Row& row, std::size_t at)
{
    std::string text = definition(row, at);
    return text.empty() ? std::string(unreadable_text) : text;
}

}  // namespace sallyport::postgres
