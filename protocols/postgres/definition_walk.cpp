// CREATE and DROP of every kind. What is created from a query reads what the query reads; rules,
// views and functions have the classes of what is in them.

#include "protocols/postgres/object_names.h"
#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

void TreeWalk::created(std::string_view what, const std::string& object, bool replaces)
{
    const std::string cause = (replaces ? "CREATE OR REPLACE " : "CREATE ") + std::string(what);
    add(SqlClass::create, object, cause);
    if (replaces)
        add(SqlClass::alter_destructive, object, cause);
}

void TreeWalk::created_as(const IntoClause& target, std::string_view what)
{
    add(SqlClass::create, name_to_create(*target.rel), what);
    list(target.options);
}

bool TreeWalk::definition(const Node* one)
{
    return relation_definition(one) || code_definition(one) || outside_definition(one);
}

bool TreeWalk::relation_definition(const Node* one)
{
    switch (one->type) {
    case T_DropStmt: drop(as<DropStmt>(one)); return true;
    case T_CreateStmt:
    case T_CreateForeignTableStmt: {
        // A CreateForeignTableStmt begins with a CreateStmt.
        const auto& table = as<CreateStmt>(one);
        const bool foreign = one->type == T_CreateForeignTableStmt;
        const std::string object = name_to_create(*table.relation);
        created(foreign ? "FOREIGN TABLE" : "TABLE", object);
        if (foreign) {
            add(SqlClass::remote, object, "CREATE FOREIGN TABLE");
            options(as<CreateForeignTableStmt>(one).options);
        }
        list(table.tableElts);
        list(table.constraints);
        node(table.partbound);
        node(table.partspec);
        list(table.options);
        return true;
    }
    case T_CreateTableAsStmt: {
        const auto& table = as<CreateTableAsStmt>(one);
        created_as(*table.into, table.objtype == OBJECT_MATVIEW ? "CREATE MATERIALIZED VIEW"
                                                                : "CREATE TABLE AS");
        node(table.query);
        return true;
    }
    case T_ViewStmt: {
        const auto& made = as<ViewStmt>(one);
        created("VIEW", name_to_create(*made.view), made.replace);
        node(made.query);
        list(made.options);
        return true;
    }
    case T_IndexStmt: {
        const auto& index = as<IndexStmt>(one);
        created("INDEX", name_of(*index.relation));
        list(index.indexParams);
        list(index.indexIncludingParams);
        list(index.options);
        node(index.whereClause);
        return true;
    }
    case T_CreateSeqStmt:
        created("SEQUENCE", name_to_create(*as<CreateSeqStmt>(one).sequence));
        return true;
    case T_CreateStatsStmt:
        created("STATISTICS", name_of(as<CreateStatsStmt>(one).defnames));
        list(as<CreateStatsStmt>(one).exprs);
        return true;
    case T_CreatePolicyStmt:
        created("POLICY", name_of(*as<CreatePolicyStmt>(one).table));
        node(as<CreatePolicyStmt>(one).qual);
        node(as<CreatePolicyStmt>(one).with_check);
        return true;
    case T_CreateDomainStmt:
        created("DOMAIN", name_of(as<CreateDomainStmt>(one).domainname));
        list(as<CreateDomainStmt>(one).constraints);
        return true;
    case T_CompositeTypeStmt:
        created("TYPE", name_to_create(*as<CompositeTypeStmt>(one).typevar));
        list(as<CompositeTypeStmt>(one).coldeflist);
        return true;
    case T_CreateEnumStmt: created("TYPE", name_of(as<CreateEnumStmt>(one).typeName)); return true;
    case T_CreateSchemaStmt:
        created("SCHEMA", std::string(view(as<CreateSchemaStmt>(one).schemaname)));
        list(as<CreateSchemaStmt>(one).schemaElts);
        return true;
    default: return false;
    }
}

bool TreeWalk::code_definition(const Node* one)
{
    const auto code = [this](std::string_view what, const std::string& object,
                             bool replaces = false) {
        created(what, object, replaces);
        add(SqlClass::code, object, "CREATE " + std::string(what));
    };
    switch (one->type) {
    case T_CreateFunctionStmt: create_function(as<CreateFunctionStmt>(one)); return true;
    case T_RuleStmt: {
        const auto& rule = as<RuleStmt>(one);
        code("RULE", name_of(*rule.relation), rule.replace);
        node(rule.whereClause);
        list(rule.actions);
        return true;
    }
    case T_CreateTrigStmt: {
        const auto& trigger = as<CreateTrigStmt>(one);
        code("TRIGGER", name_of(*trigger.relation), trigger.replace);
        node(trigger.whenClause);
        return true;
    }
    case T_CreateEventTrigStmt:
        code("EVENT TRIGGER", std::string(view(as<CreateEventTrigStmt>(one).trigname)));
        return true;
    case T_CreatePLangStmt:
        code("LANGUAGE", std::string(view(as<CreatePLangStmt>(one).plname)),
             as<CreatePLangStmt>(one).replace);
        return true;
    case T_CreateExtensionStmt:
        // Runs the extension's script.
        code("EXTENSION", std::string(view(as<CreateExtensionStmt>(one).extname)));
        return true;
    case T_CreateCastStmt:
        code("CAST", name_of(as<CreateCastStmt>(one).targettype->names));
        return true;
    case T_CreateConversionStmt:
        code("CONVERSION", name_of(as<CreateConversionStmt>(one).conversion_name));
        return true;
    case T_CreateTransformStmt:
        code("TRANSFORM", name_of(as<CreateTransformStmt>(one).type_name->names),
             as<CreateTransformStmt>(one).replace);
        return true;
    case T_CreateAmStmt:
        code("ACCESS METHOD", std::string(view(as<CreateAmStmt>(one).amname)));
        return true;
    case T_CreateOpClassStmt:
        code("OPERATOR CLASS", name_of(as<CreateOpClassStmt>(one).opclassname));
        return true;
    case T_CreateOpFamilyStmt:
        code("OPERATOR FAMILY", name_of(as<CreateOpFamilyStmt>(one).opfamilyname));
        return true;
    case T_CreateRangeStmt: code("TYPE", name_of(as<CreateRangeStmt>(one).typeName)); return true;
    case T_DefineStmt: {
        const auto& define = as<DefineStmt>(one);
        const std::string object = name_of(define.defnames);
        // Aggregates, operators and base types bind functions; text search and collations do not.
        if (define.kind == OBJECT_AGGREGATE || define.kind == OBJECT_OPERATOR ||
            define.kind == OBJECT_TYPE || define.kind == OBJECT_TSPARSER ||
            define.kind == OBJECT_TSTEMPLATE)
            code(word_of(define.kind), object, define.replace);
        else
            created(word_of(define.kind), object, define.replace);
        return true;
    }
    case T_LoadStmt:
        add(SqlClass::code, {}, "LOAD");
        add(SqlClass::server_file, {}, "LOAD");
        return true;
    default: return false;
    }
}

// What reaches beyond the database: servers, databases, files, replication.
bool TreeWalk::outside_definition(const Node* one)
{
    const auto also = [this](SqlClass more, std::string_view what, const std::string& object) {
        created(what, object);
        add(more, object, "CREATE " + std::string(what));
    };
    switch (one->type) {
    case T_CreatedbStmt: created("DATABASE", as<CreatedbStmt>(one).dbname); return true;
    case T_CreateTableSpaceStmt:
        also(SqlClass::server_file, "TABLESPACE", as<CreateTableSpaceStmt>(one).tablespacename);
        return true;
    case T_CreateFdwStmt:
        also(SqlClass::remote, "FOREIGN DATA WRAPPER", as<CreateFdwStmt>(one).fdwname);
        options(as<CreateFdwStmt>(one).options);
        return true;
    case T_CreateForeignServerStmt:
        also(SqlClass::remote, "SERVER", as<CreateForeignServerStmt>(one).servername);
        options(as<CreateForeignServerStmt>(one).options);
        return true;
    case T_CreateUserMappingStmt:
        also(SqlClass::remote, "USER MAPPING", as<CreateUserMappingStmt>(one).servername);
        options(as<CreateUserMappingStmt>(one).options);
        return true;
    case T_ImportForeignSchemaStmt:
        add(SqlClass::create, as<ImportForeignSchemaStmt>(one).local_schema,
            "IMPORT FOREIGN SCHEMA");
        add(SqlClass::remote, as<ImportForeignSchemaStmt>(one).server_name,
            "IMPORT FOREIGN SCHEMA");
        options(as<ImportForeignSchemaStmt>(one).options);
        return true;
    case T_CreatePublicationStmt:
        also(SqlClass::replication, "PUBLICATION", as<CreatePublicationStmt>(one).pubname);
        return true;
    case T_CreateSubscriptionStmt:
        also(SqlClass::replication, "SUBSCRIPTION", as<CreateSubscriptionStmt>(one).subname);
        add(SqlClass::remote, as<CreateSubscriptionStmt>(one).subname, "CREATE SUBSCRIPTION");
        secret(begin_, false);
        return true;
    case T_DropdbStmt:
        add(SqlClass::drop, as<DropdbStmt>(one).dbname, "DROP DATABASE");
        return true;
    case T_DropTableSpaceStmt:
        add(SqlClass::drop, as<DropTableSpaceStmt>(one).tablespacename, "DROP TABLESPACE");
        return true;
    case T_DropSubscriptionStmt:
        add(SqlClass::drop, as<DropSubscriptionStmt>(one).subname, "DROP SUBSCRIPTION");
        add(SqlClass::replication, as<DropSubscriptionStmt>(one).subname, "DROP SUBSCRIPTION");
        return true;
    case T_DropUserMappingStmt:
        add(SqlClass::drop, as<DropUserMappingStmt>(one).servername, "DROP USER MAPPING");
        add(SqlClass::remote, as<DropUserMappingStmt>(one).servername, "DROP USER MAPPING");
        return true;
    case T_DropOwnedStmt: add(SqlClass::drop, {}, "DROP OWNED"); return true;
    default: return false;
    }
}

void TreeWalk::drop(const DropStmt& one)
{
    const std::string cause = "DROP " + std::string(word_of(one.removeType));
    for (const ListCell& cell : cells(one.objects))
        add(SqlClass::drop, name_of(one.removeType, node_of(cell)), cause);
    switch (one.removeType) {
    case OBJECT_FDW:
    case OBJECT_FOREIGN_SERVER:
    case OBJECT_FOREIGN_TABLE: add(SqlClass::remote, {}, cause); break;
    case OBJECT_PUBLICATION: add(SqlClass::replication, {}, cause); break;
    default: break;
    }
}

}  // namespace sallyport::postgres
