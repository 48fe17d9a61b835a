// ALTER of every kind, and what changes names, owners, comments, roles and privileges.
//
// alter_destructive: a form that drops something inside an object, rewrites what is stored in it,
// or takes it out of where it was.

#include "protocols/postgres/object_names.h"
#include "protocols/postgres/tree_walk.h"

// Its macros hide names of the standard library.
#include "protocols/postgres/postgres_nodes.h"

namespace sallyport::postgres {

namespace {

bool destroys(const AlterTableCmd& command)
{
    switch (command.subtype) {
    case AT_DropColumn:
    case AT_DropColumnRecurse:
    case AT_DropConstraint:
    case AT_DropConstraintRecurse:
    case AT_DropNotNull:
    case AT_DropExpression:
    case AT_DropIdentity:
    case AT_DropInherit:
    case AT_DropOf:
    case AT_DropOids:
    case AT_DetachPartition:
    case AT_DetachPartitionFinalize:
    case AT_AlterColumnType:
    case AT_SetLogged:
    case AT_SetUnLogged:
    case AT_SetAccessMethod:
    case AT_SetTableSpace: return true;
    case AT_ColumnDefault: return command.def == nullptr;
    default: return false;
    }
}

bool holds_secret(std::string_view option)
{
    for (const std::string_view word : {"pass", "secret", "token", "key", "credential"}) {
        if (option.find(word) != std::string_view::npos)
            return true;
    }
    return false;
}

}  // namespace

void TreeWalk::altered(std::string_view what, const std::string& object, bool with_loss)
{
    const std::string cause = "ALTER " + std::string(what);
    add(SqlClass::alter, object, cause);
    if (with_loss)
        add(SqlClass::alter_destructive, object, cause);
}

// Of a role, user mapping or server: values of some are secrets.
void TreeWalk::options(const List* of_a_server_or_role)
{
    for (const ListCell& cell : cells(of_a_server_or_role)) {
        const auto& option = as<DefElem>(node_of(cell));
        if (option.arg != nullptr && holds_secret(view(option.defname)))
            secret(option.location, false);
        if (is(option.arg, T_ParamRef))
            node(option.arg);
    }
}

void TreeWalk::alter_table(const AlterTableStmt& one)
{
    const std::string object = name_of(*one.relation);
    const std::string_view word = word_of(one.objtype);
    altered(word, object);
    if (one.objtype == OBJECT_FOREIGN_TABLE)
        add(SqlClass::remote, object, "ALTER FOREIGN TABLE");
    for (const ListCell& cell : cells(one.cmds)) {
        const auto& command = as<AlterTableCmd>(node_of(cell));
        if (destroys(command))
            altered(word, object, true);
        // INHERIT and REPLICA IDENTITY name other objects; the rest are expressions and
        // definitions.
        if (!is(command.def, T_RangeVar) && !is(command.def, T_ReplicaIdentityStmt))
            node(command.def);
    }
}

bool TreeWalk::alteration(const Node* one)
{
    switch (one->type) {
    case T_AlterTableStmt: alter_table(as<AlterTableStmt>(one)); return true;
    case T_RenameStmt: {
        const auto& rename = as<RenameStmt>(one);
        const std::string object = rename.relation != nullptr ? name_of(*rename.relation)
                                   : rename.object != nullptr
                                       ? name_of(rename.renameType, rename.object)
                                       : std::string(view(rename.subname));
        altered(std::string(word_of(rename.renameType)) + " RENAME", object);
        if (rename.renameType == OBJECT_ROLE)
            add(SqlClass::grant, object, "ALTER ROLE RENAME");
        return true;
    }
    case T_AlterOwnerStmt: {
        const auto& owner = as<AlterOwnerStmt>(one);
        altered(std::string(word_of(owner.objectType)) + " OWNER",
                owner.relation != nullptr ? name_of(*owner.relation)
                                          : name_of(owner.objectType, owner.object));
        return true;
    }
    case T_AlterObjectSchemaStmt: {
        const auto& moved = as<AlterObjectSchemaStmt>(one);
        altered(std::string(word_of(moved.objectType)) + " SET SCHEMA",
                moved.relation != nullptr ? name_of(*moved.relation)
                                          : name_of(moved.objectType, moved.object));
        return true;
    }
    case T_AlterObjectDependsStmt:
        altered("... DEPENDS ON EXTENSION",
                std::string(string_of(as<AlterObjectDependsStmt>(one).extname)));
        return true;
    case T_AlterDomainStmt: {
        const auto& domain = as<AlterDomainStmt>(one);
        // O: drop NOT NULL; X: drop a constraint; T: set the default, or drop it.
        const bool loses = domain.subtype == 'O' || domain.subtype == 'X' ||
                           (domain.subtype == 'T' && domain.def == nullptr);
        altered("DOMAIN", name_of(domain.typeName), loses);
        node(domain.def);
        return true;
    }
    case T_AlterEnumStmt: altered("TYPE", name_of(as<AlterEnumStmt>(one).typeName)); return true;
    case T_AlterTypeStmt: altered("TYPE", name_of(as<AlterTypeStmt>(one).typeName)); return true;
    case T_AlterSeqStmt: altered("SEQUENCE", name_of(*as<AlterSeqStmt>(one).sequence)); return true;
    case T_AlterStatsStmt:
        altered("STATISTICS", name_of(as<AlterStatsStmt>(one).defnames));
        return true;
    case T_AlterCollationStmt:
        altered("COLLATION", name_of(as<AlterCollationStmt>(one).collname));
        return true;
    case T_AlterPolicyStmt:
        altered("POLICY", name_of(*as<AlterPolicyStmt>(one).table));
        node(as<AlterPolicyStmt>(one).qual);
        node(as<AlterPolicyStmt>(one).with_check);
        return true;
    case T_AlterFunctionStmt: {
        const std::string object =
            name_of(OBJECT_FUNCTION, &as<Node>(as<AlterFunctionStmt>(one).func));
        altered("FUNCTION", object);
        add(SqlClass::code, object, "ALTER FUNCTION");
        return true;
    }
    case T_AlterOperatorStmt:
        altered("OPERATOR",
                name_of(OBJECT_OPERATOR, &as<Node>(as<AlterOperatorStmt>(one).opername)));
        return true;
    case T_AlterOpFamilyStmt:
        altered("OPERATOR FAMILY", name_of(as<AlterOpFamilyStmt>(one).opfamilyname),
                as<AlterOpFamilyStmt>(one).isDrop);
        return true;
    case T_AlterTSDictionaryStmt:
        altered("TEXT SEARCH DICTIONARY", name_of(as<AlterTSDictionaryStmt>(one).dictname));
        return true;
    case T_AlterTSConfigurationStmt: {
        const auto& mapping = as<AlterTSConfigurationStmt>(one);
        altered("TEXT SEARCH CONFIGURATION", name_of(mapping.cfgname),
                mapping.dicts == nullptr || mapping.override || mapping.replace);
        return true;
    }
    case T_AlterEventTrigStmt: {
        const std::string object = as<AlterEventTrigStmt>(one).trigname;
        altered("EVENT TRIGGER", object);
        add(SqlClass::code, object, "ALTER EVENT TRIGGER");
        return true;
    }
    case T_AlterExtensionStmt: {
        // Runs the extension's update script.
        const std::string object = as<AlterExtensionStmt>(one).extname;
        altered("EXTENSION", object, true);
        add(SqlClass::code, object, "ALTER EXTENSION");
        return true;
    }
    case T_AlterExtensionContentsStmt:
        altered("EXTENSION", as<AlterExtensionContentsStmt>(one).extname,
                as<AlterExtensionContentsStmt>(one).action < 0);
        return true;
    case T_CommentStmt:
        add(SqlClass::alter, name_of(as<CommentStmt>(one).objtype, as<CommentStmt>(one).object),
            "COMMENT");
        return true;
    case T_SecLabelStmt:
        add(SqlClass::alter, name_of(as<SecLabelStmt>(one).objtype, as<SecLabelStmt>(one).object),
            "SECURITY LABEL");
        return true;
    default: return outside_alteration(one) || role_statement(one);
    }
}

bool TreeWalk::outside_alteration(const Node* one)
{
    const auto also = [this](SqlClass more, std::string_view what, const std::string& object) {
        altered(what, object);
        add(more, object, "ALTER " + std::string(what));
    };
    switch (one->type) {
    case T_AlterDatabaseStmt: altered("DATABASE", as<AlterDatabaseStmt>(one).dbname); return true;
    case T_AlterDatabaseRefreshCollStmt:
        altered("DATABASE", as<AlterDatabaseRefreshCollStmt>(one).dbname);
        return true;
    case T_AlterDatabaseSetStmt:
        altered("DATABASE SET", as<AlterDatabaseSetStmt>(one).dbname);
        node(as<AlterDatabaseSetStmt>(one).setstmt);
        return true;
    case T_AlterTableSpaceOptionsStmt:
        altered("TABLESPACE", as<AlterTableSpaceOptionsStmt>(one).tablespacename);
        return true;
    case T_AlterTableMoveAllStmt:
        altered("... ALL IN TABLESPACE", as<AlterTableMoveAllStmt>(one).orig_tablespacename, true);
        return true;
    case T_AlterSystemStmt:
        // Settings of the whole server: commands it runs, files it reads, who it lets in.
        also(SqlClass::admin_function, "SYSTEM", {});
        secret(begin_, true);
        node(as<AlterSystemStmt>(one).setstmt);
        return true;
    case T_AlterFdwStmt:
        also(SqlClass::remote, "FOREIGN DATA WRAPPER", as<AlterFdwStmt>(one).fdwname);
        options(as<AlterFdwStmt>(one).options);
        return true;
    case T_AlterForeignServerStmt:
        also(SqlClass::remote, "SERVER", as<AlterForeignServerStmt>(one).servername);
        options(as<AlterForeignServerStmt>(one).options);
        return true;
    case T_AlterUserMappingStmt:
        also(SqlClass::remote, "USER MAPPING", as<AlterUserMappingStmt>(one).servername);
        options(as<AlterUserMappingStmt>(one).options);
        return true;
    case T_AlterPublicationStmt:
        also(SqlClass::replication, "PUBLICATION", as<AlterPublicationStmt>(one).pubname);
        list(as<AlterPublicationStmt>(one).pubobjects);
        if (as<AlterPublicationStmt>(one).action == AP_DropObjects)
            altered("PUBLICATION", as<AlterPublicationStmt>(one).pubname, true);
        return true;
    case T_AlterSubscriptionStmt:
        also(SqlClass::replication, "SUBSCRIPTION", as<AlterSubscriptionStmt>(one).subname);
        add(SqlClass::remote, as<AlterSubscriptionStmt>(one).subname, "ALTER SUBSCRIPTION");
        if (as<AlterSubscriptionStmt>(one).conninfo != nullptr)
            secret(begin_, false);
        return true;
    default: return false;
    }
}

bool TreeWalk::role_statement(const Node* one)
{
    switch (one->type) {
    case T_CreateRoleStmt: {
        const auto& made = as<CreateRoleStmt>(one);
        created("ROLE", made.role);
        add(SqlClass::grant, made.role, "CREATE ROLE");
        options(made.options);
        return true;
    }
    case T_AlterRoleStmt: {
        const std::string role(view(as<AlterRoleStmt>(one).role->rolename));
        altered("ROLE", role);
        add(SqlClass::grant, role, "ALTER ROLE");
        options(as<AlterRoleStmt>(one).options);
        return true;
    }
    case T_AlterRoleSetStmt: {
        const RoleSpec* role = as<AlterRoleSetStmt>(one).role;
        const std::string name(role == nullptr ? std::string_view() : view(role->rolename));
        altered("ROLE SET", name);
        add(SqlClass::grant, name, "ALTER ROLE SET");
        node(as<AlterRoleSetStmt>(one).setstmt);
        return true;
    }
    case T_DropRoleStmt:
        for (const ListCell& cell : cells(as<DropRoleStmt>(one).roles)) {
            const std::string role(view(as<RoleSpec>(node_of(cell)).rolename));
            add(SqlClass::drop, role, "DROP ROLE");
            add(SqlClass::grant, role, "DROP ROLE");
        }
        return true;
    case T_GrantStmt: {
        const auto& grant = as<GrantStmt>(one);
        const std::string_view verb = grant.is_grant ? "GRANT" : "REVOKE";
        for (const ListCell& cell : cells(grant.objects)) {
            std::string object = name_of(grant.objtype, node_of(cell));
            if (grant.targtype == ACL_TARGET_ALL_IN_SCHEMA)
                object += ".*";
            add(SqlClass::grant, object, verb);
        }
        if (grant.objects == nullptr)
            add(SqlClass::grant, {}, verb);
        return true;
    }
    case T_GrantRoleStmt:
        for (const ListCell& cell : cells(as<GrantRoleStmt>(one).granted_roles))
            add(SqlClass::grant, std::string(view(as<AccessPriv>(node_of(cell)).priv_name)),
                as<GrantRoleStmt>(one).is_grant ? "GRANT of a role" : "REVOKE of a role");
        return true;
    case T_AlterDefaultPrivilegesStmt:
        add(SqlClass::grant, {}, "ALTER DEFAULT PRIVILEGES");
        return true;
    case T_ReassignOwnedStmt: add(SqlClass::alter, {}, "REASSIGN OWNED"); return true;
    default: return false;
    }
}

}  // namespace sallyport::postgres
