// `gateway:`, `store:` and `audit:`.

#include <algorithm>

#include "gateway/config/sections.h"
#include "gateway/config/values.h"

namespace sallyport {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 50;

void read_listen(const YamlNode& node, GatewaySettings& gateway, Reading& reading)
{
    MapReader map(node, "gateway.listen", reading);
    if (const auto address = map.text("postgres")) {
        if (is_listen_address(*address))
            gateway.listen_postgres = *address;
        else
            map.problem("postgres",
                        "an address and a port are expected, as in 127.0.0.1:6432 or [::1]:6432");
    }
    // Somebody who writes these expects something to answer there.
    for (const std::string_view later : {"ssh", "http"}) {
        if (map.node(later) != nullptr)
            map.problem(later, "protocol " + std::string(later) + " is not in this build");
    }
    if (map.node("admin") != nullptr)
        map.problem("admin", "the admin API is not in this build");
    map.finish();
}

void read_tls(const YamlNode& node, GatewaySettings& gateway, Reading& reading)
{
    MapReader map(node, "gateway.tls", reading);
    map.required_node("certificate");
    map.required_node("key");
    gateway.tls_certificate = map.file("certificate").value_or("");
    gateway.tls_key = map.file("key").value_or("");
    map.finish();
}

std::chrono::days read_retention(MapReader& map, std::string_view key, std::chrono::days otherwise)
{
    const auto duration = map.duration(key);
    if (!duration)
        return otherwise;
    const auto days = std::chrono::floor<std::chrono::days>(*duration);
    if (days != *duration)
        map.problem(key, "whole days are expected, as in 90d or 7y");
    return days;
}

}  // namespace

GatewaySettings read_gateway(const YamlNode& node, Reading& reading)
{
    GatewaySettings gateway;
    MapReader map(node, "gateway", reading);
    if (auto name = map.text("name"))
        gateway.name = *name;
    if (auto folder = map.text("state_dir"))
        gateway.state_dir = reading.path_of(*folder);
    if (const YamlNode* listen = map.node("listen"))
        read_listen(*listen, gateway, reading);
    if (const YamlNode* tls = map.node("tls"))
        read_tls(*tls, gateway, reading);
    gateway.threads =
        static_cast<unsigned>(map.number("threads", 0, 1024).value_or(gateway.threads));
    gateway.connections = map.number("connections", 1, 1000000).value_or(gateway.connections);
    if (const auto deadline = map.duration("login_deadline")) {
        gateway.login_deadline = *deadline;
        if (*deadline > std::chrono::hours(1))
            map.problem("login_deadline", "at most 1h is expected");
    }
    map.finish();
    return gateway;
}

StoreSettings read_store(const YamlNode& node, Reading& reading)
{
    StoreSettings store;
    MapReader map(node, "store", reading);
    const auto embedded = map.flag("embedded");
    if (auto dsn = map.secret("dsn")) {
        store.embedded = false;
        store.dsn = std::move(*dsn);
        if (embedded == true)
            map.problem("dsn", "stands beside embedded: true; one of them is expected");
    } else if (embedded == false && !map.has("dsn")) {
        map.problem("embedded", "false needs store.dsn, the store to use instead");
    }
    map.finish();
    return store;
}

AuditSettings read_audit(const YamlNode& node, Reading& reading)
{
    AuditSettings audit;
    MapReader map(node, "audit", reading);
    audit.durability = read_durability(map).value_or(audit.durability);
    if (const YamlNode* journal_node = map.node("journal")) {
        MapReader journal(*journal_node, "audit.journal", reading);
        audit.journal_limit =
            journal.size("limit", std::uint64_t{1} << 20, most_bytes).value_or(audit.journal_limit);
        audit.journal_age = journal.duration("age").value_or(audit.journal_age);
        journal.finish();
    }
    if (const YamlNode* retention_node = map.node("retention")) {
        MapReader retention(*retention_node, "audit.retention", reading);
        audit.recordings_retention =
            read_retention(retention, "recordings", audit.recordings_retention);
        audit.records_retention = read_retention(retention, "records", audit.records_retention);
        retention.finish();
    }
    map.finish();
    return audit;
}

std::optional<Durability> read_durability(MapReader& map)
{
    static constexpr std::string_view words[] = {"standard", "strict", "store"};
    const auto word = map.word("durability", words);
    if (!word)
        return std::nullopt;
    return *word == "standard" ? Durability::standard
           : *word == "strict" ? Durability::strict
                               : Durability::store;
}

bool UniqueNames::add(const std::string& name, int line, const std::string& path, Reading& reading)
{
    const auto earlier = std::ranges::find(names_, name, &std::pair<std::string, int>::first);
    if (earlier == names_.end()) {
        names_.emplace_back(name, line);
        return true;
    }
    reading.add(line, path + ": \"" + name + "\" stands twice; first on line " +
                          std::to_string(earlier->second));
    return false;
}

}  // namespace sallyport
