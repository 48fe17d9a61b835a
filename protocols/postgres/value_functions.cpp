#include "protocols/postgres/value_functions.h"

#include <algorithm>
#include <array>

#include "protocols/postgres/function_classes.h"
#include "protocols/postgres/statement.h"

namespace sallyport::postgres {

namespace {

// A name, or its beginning where it ends in '*'.
bool is_among(std::span<const std::string_view> names, std::string_view name)
{
    return std::ranges::any_of(names, [&](std::string_view known) {
        return known.back() == '*' ? name.starts_with(known.substr(0, known.size() - 1))
                                   : name == known;
    });
}

bool may_be_built_in(std::string_view schema)
{
    return schema.empty() || schema == "pg_catalog";
}

constexpr auto keepers =
    std::to_array<std::string_view>({"lo_from_bytea", "lo_import", "lo_export", "lo_put", "lowrite",
                                     "pg_advisory_*", "pg_file_write", "pg_logical_emit_message",
                                     "pg_notify", "pg_try_advisory_*", "set_config", "setval"});

constexpr auto readers = std::to_array<std::string_view>({"cursor_to_xml*",
                                                          "database_to_xml*",
                                                          "lo_get",
                                                          "loread",
                                                          "pg_cursor",
                                                          "pg_hba_file_rules",
                                                          "pg_logical_slot_get_*",
                                                          "pg_logical_slot_peek_*",
                                                          "pg_ls_*",
                                                          "pg_mcv_list_items",
                                                          "pg_prepared_statement",
                                                          "pg_read_*",
                                                          "pg_show_all_file_settings",
                                                          "pg_stat_get_activity",
                                                          "pg_stat_get_backend_activity",
                                                          "query_to_xml*",
                                                          "schema_to_xml*",
                                                          "table_to_xml*",
                                                          "ts_rewrite",
                                                          "ts_stat"});

struct Returned {
    std::string_view function;
    std::span<const std::string_view> columns;
};

constexpr auto key_value = std::to_array<std::string_view>({"key", "value"});
constexpr auto acl_columns =
    std::to_array<std::string_view>({"grantor", "grantee", "privilege_type", "is_grantable"});
constexpr auto expanded_array = std::to_array<std::string_view>({"x", "n"});
constexpr auto option = std::to_array<std::string_view>({"option_name", "option_value"});
constexpr auto one_value = std::to_array<std::string_view>({"value"});

constexpr auto returned = std::to_array<Returned>({
    {"_pg_expandarray", expanded_array},
    {"aclexplode", acl_columns},
    {"json_array_elements", one_value},
    {"json_array_elements_text", one_value},
    {"json_each", key_value},
    {"json_each_text", key_value},
    {"jsonb_array_elements", one_value},
    {"jsonb_array_elements_text", one_value},
    {"jsonb_each", key_value},
    {"jsonb_each_text", key_value},
    {"pg_options_to_table", option},
});

// Set-returning functions of one column, named after themselves.
constexpr auto of_one_column = std::to_array<std::string_view>(
    {"current_database", "current_schema", "current_schemas", "generate_series",
     "generate_subscripts", "json_object_keys", "jsonb_object_keys", "jsonb_path_query", "now",
     "regexp_matches", "regexp_split_to_array", "regexp_split_to_table", "string_to_table",
     "version"});

constexpr auto extensions = std::to_array<std::string_view>({"btree_gin",       "btree_gist",
                                                             "citext",          "cube",
                                                             "dict_int",        "dict_xsyn",
                                                             "earthdistance",   "fuzzystrmatch",
                                                             "hstore",          "insert_username",
                                                             "intarray",        "isn",
                                                             "ltree",           "moddatetime",
                                                             "pg_trgm",         "pgcrypto",
                                                             "postgis",         "seg",
                                                             "tsm_system_rows", "tsm_system_time",
                                                             "unaccent",        "uuid-ossp",
                                                             "vector"});

}  // namespace

bool keeps_its_arguments(std::string_view schema, std::string_view name)
{
    return name.starts_with("dblink") || (may_be_built_in(schema) && is_among(keepers, name));
}

bool reads_beyond_arguments(std::string_view schema, std::string_view name)
{
    return name.starts_with("dblink") || (may_be_built_in(schema) && is_among(readers, name));
}

bool is_known_function(std::string_view schema, std::string_view name)
{
    return (may_be_built_in(schema) && name == "set_config") ||
           !classes_of_function(schema, name, 1)
                .contains(static_cast<std::size_t>(SqlClass::opaque));
}

std::span<const std::string_view> result_columns(std::string_view name)
{
    const auto known = std::ranges::find(returned, name, &Returned::function);
    if (known != returned.end())
        return known->columns;
    const auto* const one = std::ranges::find(of_one_column, name);
    return one == of_one_column.end() ? std::span<const std::string_view>() : std::span(one, 1);
}

std::string_view large_object_function(std::uint32_t oid)
{
    switch (oid) {
    case 715: return "lo_create";
    case 764: return "lo_import";
    case 952: return "lo_open";
    case 953: return "lo_close";
    case 954: return "loread";
    case 955: return "lowrite";
    case 956: return "lo_lseek";
    case 957: return "lo_creat";
    case 958: return "lo_tell";
    case 964: return "lo_unlink";
    case 1004: return "lo_truncate";
    case 3170: return "lo_lseek64";
    case 3171: return "lo_tell64";
    case 3172: return "lo_truncate64";
    default: return {};
    }
}

bool computes_only(std::string_view extension, std::string_view function)
{
    // The others of that extension execute a query they are given.
    return std::ranges::find(extensions, extension) != extensions.end() ||
           (extension == "tablefunc" && function == "normal_rand");
}

}  // namespace sallyport::postgres
