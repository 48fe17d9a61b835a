// `connections:`: what can be reached, and with which credential.

#include <algorithm>

#include "gateway/config/sections.h"

namespace sallyport {

namespace {

constexpr std::uint64_t least_message_limit = 1024;
constexpr std::uint64_t most_message_limit = (std::uint64_t{1} << 31) - 1;

// Names travel as a database's name, behind the '+' of a login and as the first part of a path.
bool can_name_a_connection(std::string_view name)
{
    return name.find_first_of(" +:/*?\"'\\@") == std::string_view::npos;
}

TargetTls tls_of(std::string_view word)
{
    if (word == "disable")
        return TargetTls::disable;
    if (word == "require")
        return TargetTls::require;
    if (word == "verify-ca")
        return TargetTls::verify_ca;
    return TargetTls::verify_full;
}

void read_tls(MapReader& map, Target& target)
{
    static constexpr std::string_view words[] = {"disable", "require", "verify-ca", "verify-full"};
    if (const auto word = map.word("tls", words))
        target.tls = tls_of(*word);
    target.ca_file = map.file("ca").value_or("");
    target.certificate_file = map.file("certificate").value_or("");
    target.key_file = map.file("key").value_or("");
    if (map.has("certificate") != map.has("key"))
        map.problem(map.has("key") ? "key" : "certificate",
                    "target.certificate and target.key are expected together");
    // What cannot have the effect that whoever wrote it counts on.
    if (target.tls == TargetTls::disable && (map.has("ca") || map.has("certificate")))
        map.problem(map.has("ca") ? "ca" : "certificate", "has no effect with tls: disable");
    if (target.tls == TargetTls::require && map.has("ca"))
        map.problem("ca", "has no effect with tls: require; verify-ca and verify-full use it");
}

void read_weak_authentication(MapReader& map, Target& target)
{
    static constexpr std::string_view known[] = {"md5", "cleartext"};
    for (const MapReader::Item& method : map.texts("weak_authentication")) {
        if (std::ranges::find(known, method.text) != std::end(known))
            target.weak_authentication.push_back(method.text);
        else
            map.problem_at(method.line, map.path_of("weak_authentication") + ": \"" +
                                            method.written + "\" is not known; known are " +
                                            listed(known));
    }
}

void read_target(const YamlNode& node, const std::string& path, Target& target, Reading& reading)
{
    MapReader map(node, path, reading);
    target.host = map.required_text("host").value_or("");
    if (target.host.starts_with('/'))
        map.problem("host",
                    "a host name or an address is expected; socket files are not supported");
    map.required_node("port");
    target.port = static_cast<std::uint16_t>(map.number("port", 1, 65535).value_or(0));
    target.database = map.required_text("database").value_or("");
    target.user = map.required_text("user").value_or("");
    if (auto password = map.secret("password"))
        target.password = std::move(*password);
    read_tls(map, target);
    read_weak_authentication(map, target);
    map.finish();
}

void read_trusted_functions(MapReader& map, Connection& connection)
{
    for (const MapReader::Item& function : map.texts("trusted_functions")) {
        const std::size_t dot = function.text.find('.');
        if (dot == std::string::npos || dot == 0 || dot + 1 == function.text.size() ||
            function.text.find_first_of("*?() ") != std::string::npos)
            map.problem_at(function.line,
                           map.path_of("trusted_functions") + ": \"" + function.written +
                               "\": a function's schema and name are expected, as in public.f");
        else
            connection.trusted_functions.push_back(function.text);
    }
    std::ranges::sort(connection.trusted_functions);
}

std::string protocols_of_this_build(const Reading& reading)
{
    std::vector<std::string_view> names;
    for (const ProtocolWords& protocol : reading.protocols)
        names.push_back(protocol.name);
    return listed(names);
}

}  // namespace

std::shared_ptr<const Connection> read_connection(const YamlNode& node, const std::string& path,
                                                  Durability durability, Reading& reading)
{
    auto connection = std::make_shared<Connection>();
    MapReader map(node, path, reading);
    connection->name = map.required_text("name").value_or("");
    if (!can_name_a_connection(connection->name))
        map.problem("name", "spaces, quotes and any of + : / \\ @ * ? cannot stand in the name");
    const auto protocol = map.required_text("protocol");
    if (!protocol)
        return nullptr;
    if (reading.find_protocol(*protocol) == nullptr) {
        // Its other keys are that protocol's own.
        map.problem("protocol", "protocol " + map.node("protocol")->written +
                                    " is not in this build; known are " +
                                    protocols_of_this_build(reading));
        return nullptr;
    }
    connection->protocol = *protocol;
    if (const YamlNode* target = map.required_node("target"))
        read_target(*target, map.path_of("target"), connection->target, reading);
    connection->durability = durability;
    if (const auto own = read_durability(map)) {
        connection->durability = *own;
        if (*own < durability)
            map.problem("durability",
                        "is less than audit.durability; a connection may only ask for "
                        "more");
    }
    read_trusted_functions(map, *connection);
    connection->allow_replication =
        map.flag("allow_replication").value_or(connection->allow_replication);
    connection->message_limit = map.size("message_limit", least_message_limit, most_message_limit)
                                    .value_or(connection->message_limit);
    map.finish();
    return connection->name.empty() ? nullptr : connection;
}

}  // namespace sallyport
