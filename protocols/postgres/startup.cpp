#include "protocols/postgres/startup.h"

#include <algorithm>
#include <array>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace {

constexpr std::uint32_t cancel_code = (1234U << 16) | 5678U;
constexpr std::uint32_t ssl_code = (1234U << 16) | 5679U;
constexpr std::uint32_t gss_code = (1234U << 16) | 5680U;
constexpr std::size_t longest_cancel_secret = 256;

// An answer the server gives too; without a SQLSTATE it closes without a word.
tl::unexpected<Error> broken(std::string detail, std::string sqlstate = {})
{
    return tl::unexpected<Error>(Error{Fault::malformed, std::move(detail), std::move(sqlstate)});
}

// As the server compares names of settings: ASCII letters only.
std::string lower_case(std::string_view name)
{
    std::string lower(name);
    for (char& each : lower) {
        if (each >= 'A' && each <= 'Z')
            each = static_cast<char>(each - 'A' + 'a');
    }
    return lower;
}

bool is_space(char character)
{
    return character == ' ' || (character >= '\t' && character <= '\r');
}

// The words of `options`, as the server's pg_split_opts() cuts them: white space parts words, a
// backslash takes the next character as it is.
std::vector<std::string> words_of(std::string_view options)
{
    std::vector<std::string> words;
    std::size_t at = 0;
    for (;;) {
        while (at < options.size() && is_space(options[at]))
            ++at;
        if (at == options.size())
            return words;
        std::string& word = words.emplace_back();
        for (bool escaped = false; at < options.size(); ++at) {
            const char character = options[at];
            if (is_space(character) && !escaped)
                break;
            if (character == '\\' && !escaped) {
                escaped = true;
                continue;
            }
            escaped = false;
            word += character;
        }
    }
}

Result<void> take_setting(std::string_view flag, std::string_view setting,
                          std::map<std::string, std::string>& into)
{
    const std::size_t equals = setting.find('=');
    if (equals == std::string_view::npos)
        return broken(std::string(flag) + std::string(setting) + " requires a value", "42601");
    std::string name = lower_case(setting.substr(0, equals));
    std::replace(name.begin(), name.end(), '-', '_');
    into.insert_or_assign(std::move(name), std::string(setting.substr(equals + 1)));
    return {};
}

Result<void> read_options(std::string_view options, std::map<std::string, std::string>& into)
{
    const std::vector<std::string> words = words_of(options);
    for (std::size_t at = 0; at < words.size(); ++at) {
        const std::string_view word = words[at];
        Result<void> taken;
        if (word == "-c" && at + 1 < words.size())
            taken = take_setting("-c ", words[++at], into);
        else if (word.starts_with("-c") && word.size() > 2)
            taken = take_setting("-c ", word.substr(2), into);
        else if (word.starts_with("--") && word.size() > 2)
            taken = take_setting("--", word.substr(2), into);
        else
            taken = broken("invalid command-line argument for server process: " + std::string(word),
                           "42601");
        if (!taken)
            return taken;
    }
    return {};
}

Result<StartupPacket> read_parameters(std::uint32_t code, BodyReader body)
{
    StartupMessage startup;
    startup.major = static_cast<std::uint16_t>(code >> 16);
    startup.minor = static_cast<std::uint16_t>(code & 0xffff);
    if (startup.major != 3)
        return broken("unsupported frontend protocol " + std::to_string(startup.major) + "." +
                          std::to_string(startup.minor) + ": server supports 3.0 to 3.0",
                      "0A000");

    std::string_view options;
    std::map<std::string, std::string> settings;
    for (;;) {
        const std::string_view name = body.text();
        if (name.empty())
            break;
        const std::string_view value = body.text();
        if (body.failed())
            break;
        if (name == "user")
            startup.user = value;
        else if (name == "database")
            startup.database = value;
        else if (name == "replication")
            startup.replication = value;
        else if (name == "options")
            options = value;
        else if (name.starts_with("_pq_."))
            startup.unknown_protocol_options.emplace_back(name);
        else
            settings.insert_or_assign(lower_case(name), std::string(value));
    }
    if (body.failed() || !body.rest().empty())
        return broken("invalid startup packet layout: expected terminator as last byte", "08P01");
    if (startup.user.empty())
        return broken("no PostgreSQL user name specified in startup packet", "28000");
    // Before anybody asks whether this user may use that connection.
    if (startup.database.empty())
        startup.database = startup.user;

    TRY(unused, read_options(options, startup.parameters).map([] { return true; }));
    (void)unused;  // only its Error matters
    // Parameters of their own win over options, as on the server.
    for (auto& [name, value] : settings)
        startup.parameters.insert_or_assign(name, std::move(value));
    return StartupPacket(std::move(startup));
}

// Sorted. What changes how values look, how statements are planned and how long they may take:
// nothing that changes who the user is, how a text is read, or what code is loaded.
constexpr std::array allowed_settings = std::to_array<std::string_view>({
    "application_name",
    "array_nulls",
    "backend_flush_after",
    "bytea_output",
    "check_function_bodies",
    "client_connection_check_interval",
    "client_min_messages",
    "constraint_exclusion",
    "cpu_index_tuple_cost",
    "cpu_operator_cost",
    "cpu_tuple_cost",
    "cursor_tuple_fraction",
    "datestyle",
    "debug_parallel_query",
    "default_statistics_target",
    "default_table_access_method",
    "default_tablespace",
    "default_text_search_config",
    "default_toast_compression",
    "default_transaction_deferrable",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "effective_cache_size",
    "effective_io_concurrency",
    "escape_string_warning",
    "extra_float_digits",
    "force_parallel_mode",
    "from_collapse_limit",
    "geqo",
    "geqo_effort",
    "geqo_generations",
    "geqo_pool_size",
    "geqo_seed",
    "geqo_selection_bias",
    "geqo_threshold",
    "gin_fuzzy_search_limit",
    "gin_pending_list_limit",
    "hash_mem_multiplier",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "intervalstyle",
    "jit",
    "jit_above_cost",
    "jit_inline_above_cost",
    "jit_optimize_above_cost",
    "join_collapse_limit",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "lock_timeout",
    "logical_decoding_work_mem",
    "maintenance_io_concurrency",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "min_parallel_index_scan_size",
    "min_parallel_table_scan_size",
    "parallel_leader_participation",
    "parallel_setup_cost",
    "parallel_tuple_cost",
    "plan_cache_mode",
    "quote_all_identifiers",
    "random_page_cost",
    "recursive_worktable_factor",
    "row_security",
    "search_path",
    "seq_page_cost",
    "statement_timeout",
    "stats_fetch_consistency",
    "synchronize_seqscans",
    "synchronous_commit",
    "temp_buffers",
    "temp_tablespaces",
    "timezone",
    "transaction_timeout",
    "work_mem",
    "xmlbinary",
    "xmloption",
});
static_assert(std::is_sorted(allowed_settings.begin(), allowed_settings.end()));

bool is_allowed(std::string_view name)
{
    return name.starts_with("enable_") ||
           std::binary_search(allowed_settings.begin(), allowed_settings.end(), name);
}

// Letters and digits decide which encoding is meant, as in the server's clean_encoding_name().
// SQL_ASCII asks for bytes as they are, which an UTF-8 session gives; psql asks for it on a
// terminal without a locale.
bool means_utf8(std::string_view encoding)
{
    std::string name;
    for (const char each : lower_case(encoding)) {
        if ((each >= 'a' && each <= 'z') || (each >= '0' && each <= '9'))
            name += each;
    }
    return name == "utf8" || name == "unicode" || name == "sqlascii";
}

}  // namespace

Result<std::optional<StartupPacket>> read_startup(Bytes bytes, std::size_t& consumed)
{
    consumed = 0;
    if (bytes.size() < 4)
        return std::nullopt;
    const std::size_t length = read_u32(bytes);
    if (length < 8 || length > startup_limit + 4)
        return broken("invalid length of startup packet: " + std::to_string(length));
    if (bytes.size() < length)
        return std::nullopt;
    consumed = length;

    BodyReader body(bytes.subspan(4, length - 4));
    const std::uint32_t code = body.u32();
    const std::size_t rest = body.rest().size();
    if (code == ssl_code || code == gss_code) {
        if (rest != 0)
            return broken("invalid length of an encryption request: " + std::to_string(length));
        if (code == ssl_code)
            return StartupPacket(SslRequest{});
        return StartupPacket(GssEncRequest{});
    }
    if (code == cancel_code) {
        if (rest < 8 || rest > 4 + longest_cancel_secret)
            return broken("invalid length of cancel request packet: " + std::to_string(length));
        CancelRequest cancel;
        cancel.process = body.u32();
        cancel.secret = text_of(body.rest());
        return StartupPacket(std::move(cancel));
    }
    return read_parameters(code, body).map([](StartupPacket packet) {
        return std::optional<StartupPacket>(std::move(packet));
    });
}

Result<std::map<std::string, std::string>> passed_on(const StartupMessage& startup)
{
    std::map<std::string, std::string> passed;
    for (const auto& [name, value] : startup.parameters) {
        if (name == "client_encoding") {
            if (!means_utf8(value))
                return failure(Fault::refused, "client_encoding \"" + value +
                                                   "\" is not accepted by this gateway: use UTF8");
            continue;  // sent to the target in any case
        }
        // The gateway pins it: on is what the session gets, off would let gateway and server read
        // different texts.
        if (name == "standard_conforming_strings" && lower_case(value) == "on")
            continue;
        if (!is_allowed(name))
            return failure(Fault::refused,
                           "startup parameter \"" + name + "\" is not accepted by this gateway");
        passed.emplace(name, value);
    }
    return passed;
}

}  // namespace sallyport::postgres
