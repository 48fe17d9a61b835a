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
    {"lo_get", nothing},
    {"lo_import", file | insert},
    {"lo_lseek*", nothing},
    {"lo_open", nothing},
    {"lo_put", update},
    {"lo_tell*", nothing},
    {"lo_truncate*", update},
    {"lo_unlink", admin | of(SqlClass::delete_)},
    {"lowrite", update},
    // The server refuses it in a read-only transaction as well; it is what an INSERT's default
    // does.
    {"nextval", insert},
    {"pg_advisory_unlock*", nothing},  // releases what the session itself holds
    {"pg_advisory_*", lock},
    {"pg_backup_*", admin},
    {"pg_cancel_backend", admin},
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
    {"pg_logdir_ls", file},
    {"pg_logical_*", slot},
    {"pg_ls_*", file},
    {"pg_nextoid", admin},
    {"pg_notify", of(SqlClass::listen)},
    {"pg_promote", admin},
    {"pg_read_*", file},
    {"pg_reload_conf", admin},
    {"pg_replication_*", slot},
    {"pg_rotate_logfile*", admin},
    {"pg_show_all_file_settings", file},
    {"pg_start_backup", admin},
    {"pg_stat_file", file},
    {"pg_stat_reset*", admin},
    {"pg_stop_*", admin},
    {"pg_switch_wal", admin},
    {"pg_terminate_backend", admin},
    {"pg_try_advisory_*", lock},
    {"pg_wal_replay_*", admin},
    {"query_to_xml*", opaque},
    {"schema_to_xml*", opaque},
    {"setval", update},
    {"table_to_xml*", opaque},
    {"ts_stat", opaque},
});

// Of extensions, in whatever schema they were installed.
constexpr auto of_extensions = std::to_array<Rule>({
    {"dblink*", of(SqlClass::remote)},
    {"file_fdw_*", file},
    {"pg_file_*", file},
    {"pg_logdir_ls", file},
    {"pg_stat_statements_reset", admin},
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

bool is_trusted(std::string_view schema, std::string_view name,
                const std::vector<std::string>& trusted)
{
    if (trusted.empty())
        return false;
    std::string qualified(schema.empty() ? "public" : schema);
    qualified += '.';
    qualified += name;
    return std::find(trusted.begin(), trusted.end(), qualified) != trusted.end();
}

}  // namespace

bool takes_a_row(std::string_view name)
{
    static constexpr auto names = std::to_array<std::string_view>(
        {"any_out",     "array_agg",        "concat",         "hash_record",
         "json_agg",    "json_build_array", "jsonb_agg",      "jsonb_build_array",
         "lag",         "last_value",       "lead",           "first_value",
         "mode",        "quote_literal",    "quote_nullable", "record_out",
         "record_send", "row_to_json",      "text",           "to_json",
         "to_jsonb"});
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool takes_a_connection_string(std::string_view name)
{
    return name.starts_with("dblink");
}

ClassSet classes_of_function(std::string_view schema, std::string_view name, std::size_t arguments,
                             const std::vector<std::string>& trusted)
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
    return is_trusted(schema, name, trusted) ? nothing : opaque;
}

}  // namespace sallyport::postgres
