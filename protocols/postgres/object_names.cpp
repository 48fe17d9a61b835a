#include "protocols/postgres/object_names.h"

#include "protocols/postgres/resolution.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

std::pair<std::string_view, std::string_view> last_two(const List* names)
{
    const auto all = cells(names);
    if (all.empty())
        return {};
    const std::string_view schema =
        all.size() > 1 ? string_of(node_of(all[all.size() - 2])) : std::string_view();
    return {schema, string_of(node_of(all.back()))};
}

std::string name_of(const Resolution& names, const RangeVar& relation)
{
    if (relation.schemaname == nullptr && relation.relpersistence == 't')
        return names.relation_name("pg_temp", view(relation.relname));
    return names.relation_name(view(relation.schemaname), view(relation.relname));
}

std::string name_of(const Resolution& names, const List* parts)
{
    const auto [schema, name] = last_two(parts);
    return names.relation_name(schema, name);
}

std::string name_of_function(const Resolution& names, const List* parts)
{
    const auto [schema, name] = last_two(parts);
    return names.function_name(schema, name);
}

namespace {

// The table in front of a column's, trigger's, rule's or policy's own name.
std::string table_before(const Resolution& names, const List* parts)
{
    const auto all = cells(parts);
    if (all.size() < 2)
        return {};
    const std::string_view schema =
        all.size() > 2 ? string_of(node_of(all[all.size() - 3])) : std::string_view();
    return names.relation_name(schema, string_of(node_of(all[all.size() - 2])));
}

}  // namespace

std::string name_of(const Resolution& names, int kind, const Node* object)
{
    if (object == nullptr)
        return {};
    switch (object->type) {
    case T_String: return std::string(string_of(object));
    case T_RangeVar: return name_of(names, as<RangeVar>(object));
    case T_TypeName: return name_of(names, as<TypeName>(object).names);
    case T_ObjectWithArgs: return name_of_function(names, as<ObjectWithArgs>(object).objname);
    case T_RoleSpec: return std::string(view(as<RoleSpec>(object).rolename));
    case T_List: break;
    default: return {};
    }
    const List* parts = &as<List>(object);
    if (kind == OBJECT_TRIGGER || kind == OBJECT_RULE || kind == OBJECT_POLICY ||
        kind == OBJECT_TABCONSTRAINT || kind == OBJECT_COLUMN)
        return table_before(names, parts);
    const Node* first = cells(parts).empty() ? nullptr : node_of(cells(parts)[0]);
    return is(first, T_String) ? name_of(names, parts) : name_of(names, kind, first);
}

std::string_view word_of(int kind)
{
    switch (static_cast<ObjectType>(kind)) {
    case OBJECT_ACCESS_METHOD: return "ACCESS METHOD";
    case OBJECT_AGGREGATE: return "AGGREGATE";
    case OBJECT_AMOP: return "OPERATOR";
    case OBJECT_AMPROC: return "FUNCTION";
    case OBJECT_ATTRIBUTE: return "ATTRIBUTE";
    case OBJECT_CAST: return "CAST";
    case OBJECT_COLUMN: return "COLUMN";
    case OBJECT_COLLATION: return "COLLATION";
    case OBJECT_CONVERSION: return "CONVERSION";
    case OBJECT_DATABASE: return "DATABASE";
    case OBJECT_DEFAULT: return "DEFAULT";
    case OBJECT_DEFACL: return "DEFAULT PRIVILEGES";
    case OBJECT_DOMAIN: return "DOMAIN";
    case OBJECT_DOMCONSTRAINT: return "CONSTRAINT";
    case OBJECT_EVENT_TRIGGER: return "EVENT TRIGGER";
    case OBJECT_EXTENSION: return "EXTENSION";
    case OBJECT_FDW: return "FOREIGN DATA WRAPPER";
    case OBJECT_FOREIGN_SERVER: return "SERVER";
    case OBJECT_FOREIGN_TABLE: return "FOREIGN TABLE";
    case OBJECT_FUNCTION: return "FUNCTION";
    case OBJECT_INDEX: return "INDEX";
    case OBJECT_LANGUAGE: return "LANGUAGE";
    case OBJECT_LARGEOBJECT: return "LARGE OBJECT";
    case OBJECT_MATVIEW: return "MATERIALIZED VIEW";
    case OBJECT_OPCLASS: return "OPERATOR CLASS";
    case OBJECT_OPERATOR: return "OPERATOR";
    case OBJECT_OPFAMILY: return "OPERATOR FAMILY";
    case OBJECT_PARAMETER_ACL: return "PARAMETER";
    case OBJECT_POLICY: return "POLICY";
    case OBJECT_PROCEDURE: return "PROCEDURE";
    case OBJECT_PUBLICATION:
    case OBJECT_PUBLICATION_NAMESPACE:
    case OBJECT_PUBLICATION_REL: return "PUBLICATION";
    case OBJECT_ROLE: return "ROLE";
    case OBJECT_ROUTINE: return "ROUTINE";
    case OBJECT_RULE: return "RULE";
    case OBJECT_SCHEMA: return "SCHEMA";
    case OBJECT_SEQUENCE: return "SEQUENCE";
    case OBJECT_SUBSCRIPTION: return "SUBSCRIPTION";
    case OBJECT_STATISTIC_EXT: return "STATISTICS";
    case OBJECT_TABCONSTRAINT: return "CONSTRAINT";
    case OBJECT_TABLE: return "TABLE";
    case OBJECT_TABLESPACE: return "TABLESPACE";
    case OBJECT_TRANSFORM: return "TRANSFORM";
    case OBJECT_TRIGGER: return "TRIGGER";
    case OBJECT_TSCONFIGURATION: return "TEXT SEARCH CONFIGURATION";
    case OBJECT_TSDICTIONARY: return "TEXT SEARCH DICTIONARY";
    case OBJECT_TSPARSER: return "TEXT SEARCH PARSER";
    case OBJECT_TSTEMPLATE: return "TEXT SEARCH TEMPLATE";
    case OBJECT_TYPE: return "TYPE";
    case OBJECT_USER_MAPPING: return "USER MAPPING";
    case OBJECT_VIEW: return "VIEW";
    }
    return "object";
}

}  // namespace sallyport::postgres
