// The functions that are more than a computation, by name; the harmless ones are in
// built_in_names.cpp.

#include "protocols/postgres/function_classes.h"

#include <algorithm>
#include <array>

#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

namespace {

struct Rule {
    std::string_view name;  // the whole name, or its beginning where it ends in '*'
    ClassSet classes;
};

constexpr ClassSet of(SqlClass one)
{
    return ClassSet::of(static_cast<std::size_t>(one));
}

constexpr ClassSet nothing;
constexpr ClassSet admin = of(SqlClass::admin_function);
constexpr ClassSet file = of(SqlClass::server_file);
constexpr ClassSet lock = of(SqlClass::lock);
constexpr ClassSet maintenance = of(SqlClass::maintenance);
constexpr ClassSet opaque = of(SqlClass::opaque);
constexpr ClassSet insert = of(SqlClass::insert);
constexpr ClassSet update = of(SqlClass::update);
// What is not in a table the statement names: large objects, other sessions.
constexpr ClassSet reads = of(SqlClass::select);
constexpr ClassSet slot = admin | of(SqlClass::replication);

// In pg_catalog. The first that matches counts.
constexpr auto built_in = std::to_array<Rule>({
    {"binary_upgrade_*", admin},
    {"brin_desummarize_range", maintenance},
    {"brin_summarize_*", maintenance},
    {"cursor_to_xml*", opaque},
    {"database_to_xml*", opaque},
    {"fmgr_*", opaque},
    {"gin_clean_pending_list", maintenance},
    {"lo_close", nothing},
    {"lo_creat*", insert},
    {"lo_export", file},
    {"lo_from_bytea", insert},
    {"lo_get", reads},
    {"lo_import", file | insert},
    {"lo_lseek*", nothing},
    {"lo_open", nothing},
    {"lo_put", update},
    {"lo_tell*", nothing},
    {"lo_truncate*", update},
    {"lo_unlink", admin | of(SqlClass::delete_)},
    {"loread", reads},
    {"lowrite", update},
    // The server refuses it in a read-only transaction as well; it is what an INSERT's default
    // does.
    {"nextval", insert},
    {"pg_advisory_unlock*", nothing},  // releases what the session itself holds
    {"pg_advisory_*", lock},
    {"pg_available_wal_summaries", file},
    {"pg_backup_*", admin},
    {"pg_cancel_backend", admin},
    {"pg_clear_attribute_stats", admin},
    {"pg_clear_relation_stats", admin},
    {"pg_copy_*", slot},
    {"pg_create_logical_replication_slot", slot},
    {"pg_create_physical_replication_slot", slot},
    {"pg_create_restore_point", admin},
    {"pg_drop_replication_slot", slot},
    {"pg_extension_config_dump", admin},
    {"pg_file_*", file},
    {"pg_hba_file_rules", file},
    {"pg_ident_file_mappings", file},
    {"pg_import_system_collations", admin | of(SqlClass::create)},
    {"pg_log_backend_memory_contexts", admin},
    {"pg_log_standby_snapshot", admin},
    {"pg_logdir_ls", file},
    {"pg_logical_*", slot},
    {"pg_ls_*", file},
    {"pg_nextoid", admin},
    {"pg_notify", of(SqlClass::listen)},
    {"pg_promote", admin},
    {"pg_read_*", file},
    {"pg_reload_conf", admin},
    {"pg_replication_*", slot},
    {"pg_restore_attribute_stats", admin},
    {"pg_restore_relation_stats", admin},
    {"pg_rotate_logfile*", admin},
    {"pg_show_all_file_settings", file},
    {"pg_start_backup", admin},
    {"pg_stat_file", file},
    {"pg_stat_get_activity", reads},
    {"pg_stat_get_backend_activity", reads},
    {"pg_stat_reset*", admin},
    {"pg_stop_*", admin},
    {"pg_switch_wal", admin},
    {"pg_sync_replication_slots", slot},
    {"pg_terminate_backend", admin},
    {"pg_try_advisory_*", lock},
    {"pg_wal_replay_*", admin},
    {"pg_wal_summary_contents", file},
    {"query_to_xml*", opaque},
    {"schema_to_xml*", opaque},
    {"setval", update},
    {"table_to_xml*", opaque},
    {"ts_stat", opaque},
});

// Of extensions, in whatever schema they were installed. What gives whole pages or WAL records
// shows rows of any table.
constexpr auto of_extensions = std::to_array<Rule>({
    {"dblink*", of(SqlClass::remote)},
    {"file_fdw_*", file},
    {"get_raw_page", file | opaque},
    {"pg_file_*", file},
    {"pg_get_logical_snapshot_*", file | opaque},
    {"pg_get_wal_*", file | opaque},
    {"pg_logdir_ls", file},
    {"pg_stat_statements_reset", admin},
    {"pg_stat_statements*", reads},
    {"postgres_fdw_*", of(SqlClass::remote)},
});

const Rule* find(const auto& rules, std::string_view name)
{
    for (const Rule& rule : rules) {
        const bool prefix = rule.name.back() == '*';
        if (prefix ? name.starts_with(rule.name.substr(0, rule.name.size() - 1))
                   : name == rule.name)
            return &rule;
    }
    return nullptr;
}

}  // namespace

bool takes_a_connection_string(std::string_view name)
{
    return name.starts_with("dblink");
}

bool shows_server_files(std::string_view view)
{
    return view == "pg_file_settings" || view == "pg_hba_file_rules" ||
           view == "pg_ident_file_mappings";
}

ClassSet classes_of_function(std::string_view schema, std::string_view name, std::size_t arguments)
{
    if (schema.empty() || schema == "pg_catalog") {
        if (is_harmless_function(name))
            return nothing;
        if (const Rule* rule = find(built_in, name))
            return rule->classes;
        // With two arguments the second is a query that is executed.
        if (name == "ts_rewrite")
            return arguments == 3 ? nothing : opaque;
    }
    if (schema == "information_schema" && name.starts_with("_pg_"))
        return nothing;
    if (schema != "pg_catalog") {
        if (const Rule* rule = find(of_extensions, name))
            return rule->classes;
    }
    return opaque;
}

bool is_built_in_function(std::string_view schema, std::string_view name)
{
    if (schema.empty() || schema == "pg_catalog")
        return is_harmless_function(name) || find(built_in, name) != nullptr ||
               name == "ts_rewrite" || name == "set_config";
    return schema == "information_schema" && name.starts_with("_pg_");
}

}  // namespace sallyport::postgres
